// How much memory this process has had at most.
#pragma once

#include <cstdint>

namespace evenkeel {

/// Bytes resident at most since the program began. Pages of mapped files count while they are in
/// memory, the kernel's page cache does not. 0 where the kernel does not say.
std::uint64_t peak_memory_bytes();

}  // namespace evenkeel
