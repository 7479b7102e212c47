// calibration.h5: what a job saw and chose, laid out by block, then site or node, so that h5dump
// reads like the model. Writer and reader share this description.
//
//   /                                attributes id, scheme (JSON)
//   /job                             the YAML as run
//   /progress                        attribute last_finished_block
//   /blocks/N/                       attribute clip, where token-wise clipping was searched
//   /blocks/N/sites/NAME/            shift[C] scale[C] thresholds[n] losses[n] (NaN: dropped by the
//                                    exact search); attributes method, threshold, loss,
//                                    loss_before
//   /blocks/N/nodes/NAME/            min[C] max[C] absmax[C] mean[C] variance[C]; C is the
//                                    channels, or the heads at attention.probabilities
//       static, per tensor:          attributes range_low, range_high, step, zero_point
//       static, per channel or head: range_low[C] range_high[C] step[C] zero_point[C]
//           (codes that are not uniform have neither step nor zero_point)
//       dynamic:                     attribute dynamic = granularity
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "calib/block_record.h"
#include "io/hdf5.h"
#include "model/quantizing_tap.h"

namespace evenkeel {

/// Writes a record block by block; the file appears by `commit`. Not thread-safe.
class RecordWriter {
 public:
  /// Throws: MachineError.
  RecordWriter(const std::filesystem::path& path, std::string_view job,
               const BlockOptions& options);

  /// REQUIRES: the record's ranges fit the scheme.
  void block(Index number, const BlockRecord& record);
  /// The id binds the record to the checkpoint written beside it.
  void commit(const std::string& id);

 private:
  Hdf5Writer file_;
  Method method_;
  Scheme scheme_;
  std::int64_t last_block_ = -1;
};

/// Static ranges of a record. Throws: InputError naming the file and what is missing.
class RecordReader {
 public:
  explicit RecordReader(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  std::string id() const;
  /// Quantizers of every node of a block of `architecture` under `scheme`.
  NodeQuantizers quantizers(Index block, const Architecture& architecture,
                            const Scheme& scheme) const;
  const Hdf5Reader& file() const { return file_; }

 private:
  std::vector<Range> tensor_range(const std::string& node) const;
  std::vector<Range> channel_ranges(const std::string& node, Index channels) const;

  std::filesystem::path path_;
  Hdf5Reader file_;
};

}  // namespace evenkeel
