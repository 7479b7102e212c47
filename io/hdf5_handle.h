// What reader and writer of HDF5 files share: handles that close themselves, and the library's
// reason for a failure as one line. Private to the two. Not thread-safe, as Debian's library.
#pragma once

#include <string>
#include <utility>

#include <hdf5.h>

namespace evenkeel {

/// A library identifier, closed when it goes.
class Hdf5Handle {
 public:
  using Close = herr_t (*)(hid_t);

  Hdf5Handle() = default;
  Hdf5Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Hdf5Handle(Hdf5Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Hdf5Handle() {
    if (valid()) close_(id_);
  }

  bool valid() const { return id_ >= 0; }
  hid_t get() const { return id_; }

 private:
  hid_t id_ = H5I_INVALID_HID;
  Close close_ = nullptr;
};

/// Stops the library from printing its error stack. Called by whoever opens a file.
void silence_hdf5();

/// What the library says of its last failure: the innermost reason, on one line.
std::string hdf5_reason();

}  // namespace evenkeel
