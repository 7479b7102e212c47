#include "calib/quantized_model.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/runner.h"
#include "io/errors.h"
#include "io/safetensors.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/tiny_job.h"
#include "support/tiny_tokenizer.h"

namespace evenkeel {
namespace {

namespace fs = std::filesystem;
using support::expect_error;
using support::read_bytes;

class QuantizedModelTest : public testing::Test {
 protected:
  void run(const std::vector<std::string>& settings = {}) const {
    Progress silent;
    run_job(tiny_.job(settings), silent);
  }
  fs::path folder() const { return tiny_.output() / "quantized"; }
  fs::path record() const { return tiny_.output() / "calibration.h5"; }

  void open() const {
    const Checkpoint checkpoint(folder());
    const QuantizedModel model(checkpoint);
    for (Index number = 0; number < model.model().architecture().blocks; ++number) {
      static_cast<void>(model.block(number));
      static_cast<void>(model.quantizers(number));
    }
  }

  void change_config(const char* pointer, const nlohmann::json& value) const {
    auto config = nlohmann::json::parse(read_bytes(folder() / "config.json"));
    config[nlohmann::json::json_pointer(pointer)] = value;
    support::write_json(folder() / "config.json", config);
  }

  support::TinyJob tiny_;
};

TEST_F(QuantizedModelTest, OpensWhatAJobWrote) {
  run();
  EXPECT_FALSE(is_quantized(Checkpoint(tiny_ / "model")));
  EXPECT_FALSE(is_quantized(Checkpoint(tiny_.output() / "model")));
  EXPECT_TRUE(is_quantized(Checkpoint(folder())));
  EXPECT_NO_THROW(open());
  // A copy elsewhere with its record beside it is as good.
  fs::rename(tiny_.output(), tiny_ / "moved");
  const Checkpoint moved(tiny_ / "moved/quantized");
  EXPECT_NO_THROW(QuantizedModel{moved});
}

TEST_F(QuantizedModelTest, RecordOfAnotherRun) {
  run({"scheme=w6a6"});
  const std::string other = read_bytes(record());
  run();
  support::write_bytes(record(), other);
  expect_error<InputError>([&] { open(); }, record(),
                           {"the record is of run", "run the job again"});
}

TEST_F(QuantizedModelTest, MissingRecord) {
  run();
  fs::remove(record());
  expect_error<InputError>([&] { open(); }, record(), {"is missing", "beside the folder"});
  fs::create_directory(record());
  EXPECT_THROW(open(), InputError);
}

TEST_F(QuantizedModelTest, TruncatedRecord) {
  run();
  const std::string bytes = read_bytes(record());
  for (std::size_t length = 0; length < bytes.size(); length += 997) {
    support::write_bytes(record(), bytes.substr(0, length));
    EXPECT_THROW(open(), InputError) << length;
  }
}

TEST_F(QuantizedModelTest, SchemeThatTheTensorsContradict) {
  run();
  for (const auto& [pointer, value] : std::vector<std::pair<const char*, nlohmann::json>>{
           {"/evenkeel/scheme/weights/bits", 4},
           {"/evenkeel/scheme/weights/granularity", "per_tensor"},
           {"/evenkeel/scheme/activations/granularity", "per_channel"},
           {"/evenkeel/scheme/activations/bits", 4},
           {"/evenkeel/scheme/activations/symmetric", true},
           {"/evenkeel/scheme/weights/granularity", "per_token"},
           {"/evenkeel/scheme", 8},
           {"/evenkeel/record", nullptr},
           {"/evenkeel/record", ""},
           {"/evenkeel/record", std::string(5000, 'x')},
           {"/evenkeel/record", "a\nb"},
           {"/evenkeel/id", "0123456789abcdef"},
           {"/evenkeel", "w8a8"}}) {
    const std::string config = read_bytes(folder() / "config.json");
    change_config(pointer, value);
    try {
      open();
      ADD_FAILURE() << "no error: " << pointer << ' ' << value;
    } catch (const InputError& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    }
    support::write_bytes(folder() / "config.json", config);
  }
  EXPECT_NO_THROW(open());
}

// The first value of a tensor, in place.
void change_float(const fs::path& file, const std::string& tensor, float value) {
  std::string bytes = read_bytes(file);
  const SafetensorsFile stored(file);
  bytes.replace(stored.at(tensor).file_offset, sizeof(float),
                support::bytes_of_numbers<float>({value}));
  support::write_bytes(file, bytes);
}

TEST_F(QuantizedModelTest, InputStepThatTheRecordContradicts) {
  run();
  change_float(folder() / "model.safetensors", "model.decoder.layers.1.fc2.input_scale", 0.125F);
  expect_error<InputError>([&] { open(); }, folder(),
                           {"model.decoder.layers.1.fc2.input_scale", "mlp.hidden"});
}

TEST_F(QuantizedModelTest, DynamicSchemesNeedTheirRecordToo) {
  run({"scheme={weights: {bits: 8}, activations: {bits: 8, granularity: per_token}}"});
  EXPECT_NO_THROW(open());
  fs::remove(record());
  EXPECT_THROW(open(), InputError);
}

}  // namespace
}  // namespace evenkeel
