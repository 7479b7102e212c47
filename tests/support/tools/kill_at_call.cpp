// Preloaded (LD_PRELOAD) into a program, kills it (SIGKILL) just before the call number
// KILL_AT_CALL of those that change files, counted from 1. With KILL_AT_CALL=0 it only counts, and
// writes the count to the file KILL_COUNT_FILE when the program ends.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

namespace {

std::atomic<long> calls{0};

long limit() {
  static const long value = [] {
    const char* const text = std::getenv("KILL_AT_CALL");
    return text == nullptr ? 0 : std::strtol(text, nullptr, 10);
  }();
  return value;
}

void count() {
  if (++calls == limit()) ::kill(::getpid(), SIGKILL);
}

// What the C library has under that name.
template <class Function>
Function* real(Function* /*like*/, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

__attribute__((destructor)) void report() {
  const char* const path = std::getenv("KILL_COUNT_FILE");
  if (path == nullptr) return;
  if (std::FILE* const file = std::fopen(path, "w"); file != nullptr) {
    static_cast<void>(std::fprintf(file, "%ld\n", calls.load()));
    static_cast<void>(std::fclose(file));
  }
}

}  // namespace

// The compiler may not know that these are the C library's.
extern "C" {
int fsync(int file) {
  count();
  return real(&fsync, "fsync")(file);
}
int fdatasync(int file) {
  count();
  return real(&fdatasync, "fdatasync")(file);
}
int rename(const char* from, const char* to) {
  count();
  return real(&rename, "rename")(from, to);
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  count();
  return real(&renameat2, "renameat2")(from_folder, from, to_folder, to, flags);
}
int unlink(const char* path) {
  count();
  return real(&unlink, "unlink")(path);
}
int unlinkat(int folder, const char* path, int flags) {
  count();
  return real(&unlinkat, "unlinkat")(folder, path, flags);
}
int remove(const char* path) {
  count();
  return real(&remove, "remove")(path);
}
int mkdir(const char* path, mode_t mode) {
  count();
  return real(&mkdir, "mkdir")(path, mode);
}
int ftruncate(int file, off_t size) {
  count();
  return real(&ftruncate, "ftruncate")(file, size);
}
ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) {
  count();
  return real(&pwrite, "pwrite")(file, bytes, size, offset);
}
}
