#include "calib/analysis/read_analysis.h"

#include <string>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "io/file.h"
#include "support/expect_error.h"
#include "support/scratch_folder.h"
#include "support/written_analysis.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

class ReadAnalysisTest : public testing::Test {
 protected:
  // Reads the document after a change.
  template <class Change>
  AnalysisResult read_changed(const Change& change) const {
    support::WrittenAnalysis written;
    written.sets = {"a", "b", "c"};
    Json document = to_json(written.result());
    change(document);
    write_text(file(), document.dump());
    return read_analysis(file());
  }
  std::filesystem::path file() const { return folder_ / "analysis.json"; }

  support::ScratchFolder folder_;
};

TEST_F(ReadAnalysisTest, GivesBackAllThatWasWritten) {
  Json written;
  const AnalysisResult result = read_changed([&](const Json& document) { written = document; });
  EXPECT_EQ(to_json(result), written);
  EXPECT_EQ(result.models[0].pairs[1].second, 2U);
}

TEST_F(ReadAnalysisTest, RefusesWhatNoAnalysisLeaves) {
  const auto refused = [&](const auto& change, std::string_view part) {
    support::expect_error<InputError>([&] { read_changed(change); }, file(),
                                      {part, "analyze again"});
  };
  refused([](Json& json) { json.erase("options"); }, "options");
  refused([](Json& json) { json["options"]["pooling"] = 0; }, "'pooling' is less than 1");
  refused([](Json& json) { json["models"] = Json::array(); }, "'models' is empty");
  refused([](Json& json) { json["models"][0]["sets"] = Json::array(); }, "without blocks, or sets");
  refused([](Json& json) { json["models"][0]["sets"][1]["blocks"].erase(1); }, "2 blocks of 3");
  refused([](Json& json) { json["models"][0]["similarity"].erase(0); }, "3 sets, but 2 pairs");
  refused([](Json& json) { json["models"][0]["similarity"][0]["sets"][0] = "x"; }, "in its place");
  refused([](Json& json) { json["models"][0]["sets"][0]["tokens"] = "many"; }, "string");
  refused(
      [](Json& json) {
        json["models"][0]["blocks"][0]["norms"]["final_layer_norm"]["role"] = "\n<b>";
      },
      "a norm's role is");
  refused([](Json& json) { json["models"][0]["sets"][0]["blocks"][0]["nodes"].erase("mlp.input"); },
          "mlp.input");
}

TEST_F(ReadAnalysisTest, RefusesDamagedFiles) {
  EXPECT_THROW(read_analysis(file()), InputError);  // there is none
  const std::string whole = to_json(support::WrittenAnalysis{}.result()).dump();
  for (const std::string& bad : {std::string(), std::string("{"), std::string("[]"),
                                 std::string("{\"models\": 1}"), whole.substr(0, 1000)}) {
    write_text(file(), bad);
    EXPECT_THROW(read_analysis(file()), InputError) << bad;
  }
}

}  // namespace
}  // namespace evenkeel
