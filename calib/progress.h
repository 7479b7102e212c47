// What long work says while it goes on.
#pragma once

#include <string_view>

namespace evenkeel {

/// Called from one thread, in order. The default says nothing.
class Progress {
 public:
  Progress() = default;
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  virtual ~Progress() = default;

  /// `done` of `total` equal steps of `task` are behind us; `detail` says which step comes next.
  virtual void step(std::string_view task, int done, int total, std::string_view detail) {
    static_cast<void>(task), static_cast<void>(done), static_cast<void>(total);
    static_cast<void>(detail);
  }
  /// Something that a person should know and that does not stop the work.
  virtual void note(std::string_view message) { static_cast<void>(message); }
  /// The same about the work itself rather than about what comes of it: to be said at once.
  virtual void remark(std::string_view message) { note(message); }
};

}  // namespace evenkeel
