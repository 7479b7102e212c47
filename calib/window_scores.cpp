#include "calib/window_scores.h"

#include <algorithm>
#include <memory>
#include <span>

#include <tbb/parallel_for.h>

#include "calib/ordered_parallel.h"
#include "model/likelihood.h"

namespace evenkeel {
namespace {

using Greedy = NextTokenLikelihood::Greedy;

// Groups whose finished states are held at a time. The head is decoded once for each such part,
// which is to cost little beside their products.
std::size_t part_groups() { return std::max<std::size_t>(8, windows_in_flight()); }

// Rows of short windows that meet the head at a time.
constexpr std::size_t group_rows = 128;

// Windows of one text whose rows meet the head together.
struct Group {
  std::size_t first = 0;  // window
  std::vector<std::span<const TokenId>> targets;
  Index skipped = 0;  // rows behind the scored ones in each window
  Greedy greedy = Greedy::no;

  Index rows() const {
    std::size_t rows = 0;
    for (const auto& each : targets) rows += each.size();
    return static_cast<Index>(rows);
  }
};

std::vector<Group> groups_of(const std::vector<EvaluationText>& texts) {
  std::vector<Group> groups;
  std::size_t window = 0;
  for (const EvaluationText& text : texts) {
    std::size_t room = 0;
    for (std::size_t i = 0; i < text.windows.size(); ++i, ++window) {
      const auto targets = text.task ? std::span<const TokenId>(text.task->targets[i])
                                     : std::span(text.windows[i].ids).subspan(1);
      if (!text.task || targets.size() > room) {
        groups.push_back({.first = window,
                          .targets = {},
                          .skipped = text.task ? 0 : 1,
                          .greedy = text.task ? Greedy::yes : Greedy::no});
        room = std::max(group_rows, targets.size());
      }
      groups.back().targets.push_back(targets);
      room -= std::min(room, targets.size());
    }
  }
  return groups;
}

// A group's rows, finished, and what is found of them.
struct GroupStates {
  Tokens targets;
  Matrix finished;
  std::unique_ptr<NextTokenLikelihood> likelihood;
};

GroupStates finish(const LanguageModel& model, const Group& group, const HiddenStream& states) {
  GroupStates result;
  result.finished.resize(group.rows(), model.architecture().channels);
  Index row = 0;
  for (std::size_t i = 0; i < group.targets.size(); ++i) {
    const Matrix window = states.at(group.first + i);
    const auto rows = static_cast<Index>(group.targets[i].size());
    result.finished.middleRows(row, rows) =
        window.middleRows(window.rows() - group.skipped - rows, rows);
    result.targets.insert(result.targets.end(), group.targets[i].begin(), group.targets[i].end());
    row += rows;
  }
  model.finish(result.finished);
  return result;
}

void score_part(const LanguageModel& model, std::span<const Group> groups,
                const HiddenStream& states, std::vector<WindowScore>& scores) {
  std::vector<GroupStates> parts(groups.size());
  begin_in_order(groups.size(), [&](std::size_t i) {
    parts[i] = finish(model, groups[i], states);
    parts[i].likelihood = std::make_unique<NextTokenLikelihood>(
        model, parts[i].targets, parts[i].finished, groups[i].greedy);
  });
  const Index vocabulary = model.architecture().vocabulary;
  for (Index first = 0; first < vocabulary; first += head_chunk_rows) {
    const Matrix head = model.head_rows(first, std::min(head_chunk_rows, vocabulary - first));
    tbb::parallel_for(std::size_t{0}, parts.size(),
                      [&](std::size_t i) { parts[i].likelihood->add(head, first); });
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    Index row = 0;
    for (const auto& targets : groups[i].targets) {
      const auto rows = static_cast<Index>(targets.size());
      const NextTokenLikelihood& likelihood = *parts[i].likelihood;
      scores.push_back(
          {.loss = likelihood.sum(row, rows),
           .tokens = static_cast<double>(rows),
           .greedy = groups[i].greedy == Greedy::yes && likelihood.is_greedy(row, rows)});
      row += rows;
    }
  }
}

}  // namespace

std::vector<WindowScore> window_scores(const LanguageModel& model,
                                       const std::vector<EvaluationText>& texts,
                                       const HiddenStream& states) {
  const std::vector<Group> groups = groups_of(texts);
  std::vector<WindowScore> scores;
  for (std::size_t first = 0; first < groups.size(); first += part_groups()) {
    const std::size_t count = std::min(part_groups(), groups.size() - first);
    score_part(model, std::span(groups).subspan(first, count), states, scores);
  }
  model.release_head();
  return scores;
}

}  // namespace evenkeel
