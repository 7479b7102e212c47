// How the questions of each kind of task are read; behind io/tasks/task_file.h.
#pragma once

#include <array>
#include <string_view>

#include "io/tasks/task_file.h"

namespace evenkeel {

/// All questions of one file. Throws: InputError as read_task.
using ReadTask = TaskQuestions (*)(const TaskFile& task);

struct TaskKind {
  std::string_view name;
  std::string_view extension;  // a kind of several types of files has several entries
  ReadTask read;
  bool label_file = false;
};

// JSON lines (json_tasks.cpp)
TaskQuestions read_arc(const TaskFile& task);
TaskQuestions read_piqa(const TaskFile& task);
TaskQuestions read_hellaswag(const TaskFile& task);
TaskQuestions read_winogrande(const TaskFile& task);
TaskQuestions read_lambada(const TaskFile& task);
TaskQuestions read_copa(const TaskFile& task);
TaskQuestions read_plain(const TaskFile& task);
// Other files (other_tasks.cpp)
TaskQuestions read_lambada_text(const TaskFile& task);
TaskQuestions read_copa_xml(const TaskFile& task);
TaskQuestions read_storycloze(const TaskFile& task);

inline constexpr std::array known_task_kinds{
    TaskKind{"arc_easy", ".jsonl", read_arc},
    TaskKind{"arc_challenge", ".jsonl", read_arc},
    TaskKind{"piqa", ".jsonl", read_piqa, true},
    TaskKind{"hellaswag", ".jsonl", read_hellaswag},
    TaskKind{"winogrande", ".jsonl", read_winogrande},
    TaskKind{"lambada", ".jsonl", read_lambada},
    TaskKind{"lambada", ".txt", read_lambada_text},
    TaskKind{"lambada_openai", ".jsonl", read_lambada},
    TaskKind{"lambada_openai", ".txt", read_lambada_text},
    TaskKind{"copa", ".jsonl", read_copa},
    TaskKind{"copa", ".xml", read_copa_xml},
    TaskKind{"storycloze", ".csv", read_storycloze},
    TaskKind{"storycloze_2016", ".csv", read_storycloze},
    TaskKind{"storycloze_2018", ".csv", read_storycloze},
    TaskKind{"plain", ".jsonl", read_plain},
};

}  // namespace evenkeel
