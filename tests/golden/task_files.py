"""Small files of every kind of evaluation task, of generated text: as their authors distribute them,
as documents of the harness's data sets, and as requests by its published prompts (lm_eval/tasks/*,
0.4): [(context, continuation), ...], answer and lengths of each question.
"""
import csv
import json
import random
import re

WORDS = ("the a cat dog old small river house table green went ran saw under over because with and "
         "naïve Straße 東京 it's well-known man woman she he they left early 42 1999 in to for of "
         "bread water slowly never always friend").split()


class Writer:
    """Sentences drawn with a seed of their own."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def words(self, low, high):
        return [self.random.choice(WORDS) for _ in range(self.random.randint(low, high))]

    def phrase(self, low=2, high=9):
        return " ".join(self.words(low, high))

    def sentence(self, low=4, high=12):
        return self.phrase(low, high).capitalize() + "."


def write_lines(path, lines):
    with open(path, "w", encoding="utf-8") as file:
        for line in lines:
            file.write((line if isinstance(line, str) else json.dumps(line, ensure_ascii=False))
                       + "\n")
    return path


def multiple(context, choices, answer):
    return {"requests": [(context, " " + choice) for choice in choices], "answer": answer,
            "lengths": [len(choice) for choice in choices]}


def arc(folder, count):
    writer, rows, documents, questions = Writer(1), [], [], []
    for i in range(count):
        labels = ["A", "B", "C", "D", "E"] if i % 3 else ["1", "2", "3", "4"]
        labels = labels[:writer.random.randint(3, len(labels))]
        texts = [writer.phrase() for _ in labels]
        answer = writer.random.randrange(len(labels))
        stem = writer.sentence()[:-1] + "?"
        if i == 7:
            stem = " ".join(writer.words(700, 700))  # more than the model has positions
        rows.append({"id": f"q{i}", "question": {"stem": stem, "choices": [
            {"text": text, "label": label} for text, label in zip(texts, labels)]},
            "answerKey": labels[answer]})
        documents.append({"id": f"q{i}", "question": stem, "answerKey": labels[answer],
                          "choices": {"text": texts, "label": labels}})
        questions.append(multiple(f"Question: {stem}\nAnswer:", texts, answer))
    return write_lines(folder / "ARC-Easy-Test.jsonl", rows), documents, questions


def piqa(folder, count):
    writer, rows, documents, questions, labels = Writer(2), [], [], [], []
    for _ in range(count):
        row = {"goal": writer.sentence(), "sol1": writer.sentence(2, 20),
               "sol2": writer.sentence(2, 20)}
        labels.append(writer.random.randrange(2))
        rows.append(row)
        documents.append({**row, "label": labels[-1]})
        questions.append(multiple(f"Question: {row['goal']}\nAnswer:", [row["sol1"], row["sol2"]],
                                  labels[-1]))
    write_lines(folder / "valid-labels.lst", [str(label) for label in labels])
    return write_lines(folder / "valid.jsonl", rows), documents, questions


def hellaswag_text(text):
    text = text.strip().replace(" [title]", ". ")
    return re.sub("\\[.*?\\]", "", text).replace("  ", " ")


def hellaswag(folder, count):
    writer, rows, questions = Writer(3), [], []
    for i in range(count):
        marked = ["[header] ", "", "[step] "][i % 3]
        row = {"ind": i, "activity_label": writer.phrase(1, 3).title(),
               "ctx_a": marked + writer.sentence() + [" [title]", "  ", ""][i % 3],
               "ctx_b": ["", writer.phrase(), "ÉTÉ ΟΔΟΣ Then " + writer.phrase(), "ǆ" + "a"][i % 4],
               "label": writer.random.randrange(4), "split_type": "indomain",
               "endings": [["", " ", "[substeps] ", "two  "][j] + writer.sentence()
                           for j in range(4)]}
        rows.append(row)
        context = hellaswag_text(row["activity_label"] + ": " + row["ctx_a"] + " "
                                 + row["ctx_b"].capitalize())
        questions.append(multiple(context, [hellaswag_text(e) for e in row["endings"]],
                                  row["label"]))
    return write_lines(folder / "hellaswag_val.jsonl", rows), rows, questions


def winogrande(folder, count):
    writer, rows, questions = Writer(4), [], []
    for i in range(count):
        row = {"qID": f"x{i}", "sentence": f"{writer.phrase().capitalize()} _ {writer.phrase()}.",
               "option1": writer.phrase(1, 2), "option2": writer.phrase(1, 2),
               "answer": writer.random.choice("12")}
        rows.append(row)
        before, after = row["sentence"].split("_")
        questions.append({"requests": [(before + row[f"option{k}"], " " + after.strip())
                                       for k in (1, 2)], "answer": int(row["answer"]) - 1})
    return write_lines(folder / "dev.jsonl", rows), rows, questions


def lambada_rows(count):
    writer = Writer(5)
    rows = [{"text": " ".join(writer.sentence() for _ in range(3)) + "\n" + writer.phrase()}
            for _ in range(count)]
    rows[2]["text"] = "alone"
    rows[3]["text"] = " ".join(writer.words(650, 650))
    # What small models are sure of, so that some words are the greedy ones.
    for i in range(4, count, 3):
        rows[i]["text"] = ["I want to go to the", "She said that she would be", "one of the",
                           "as well as", "at the end of the"][i % 5]
    return rows


def last_word(text):
    words = text.split(" ")
    return {"requests": [(" ".join(words[:-1]), " " + words[-1])], "answer": 1}


def lambada(folder, count):
    rows = lambada_rows(count)
    return (write_lines(folder / "lambada_test.jsonl", rows), rows,
            [last_word(row["text"]) for row in rows])


def lambada_text(folder, count):
    texts = [row["text"].replace("\n", " ") for row in lambada_rows(count)]
    return (write_lines(folder / "lambada.txt", texts), [{"text": text} for text in texts],
            [last_word(text) for text in texts])


def copa_rows(count):
    writer = Writer(6)
    return [{"premise": writer.sentence(), "choice1": writer.sentence(), "choice2": writer.sentence(),
             "question": writer.random.choice(["cause", "effect"]),
             "label": writer.random.randrange(2), "idx": i} for i in range(count)]


def copa_question(row):
    connector = {"cause": "because", "effect": "therefore"}[row["question"]]
    choices = [" " + row[key][0].lower() + row[key][1:] for key in ("choice1", "choice2")]
    return multiple(f"{row['premise'].strip()[:-1]} {connector}", choices, row["label"])


def copa(folder, count):
    rows = copa_rows(count)
    return write_lines(folder / "val.jsonl", rows), rows, [copa_question(row) for row in rows]


def copa_xml(folder, count):
    rows = copa_rows(count)
    items = [f'<item id="{i}" asks-for="{row["question"]}" '
             f'most-plausible-alternative="{row["label"] + 1}">\n<p>{row["premise"]}</p>\n'
             f'<a1>{row["choice1"]}</a1>\n<a2>{row["choice2"]}</a2>\n</item>'
             for i, row in enumerate(rows)]
    path = write_lines(folder / "copa-dev.xml", ['<?xml version="1.0" encoding="UTF-8"?>',
                                                 '<copa-corpus version="1.0">', *items,
                                                 "</copa-corpus>"])
    return path, rows, [copa_question(row) for row in rows]


def storycloze(folder, count):
    writer, documents, questions = Writer(7), [], []
    path = folder / "cloze_test_val__spring2016.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["InputStoryid", *[f"InputSentence{i}" for i in range(1, 5)],
                       "RandomFifthSentenceQuiz1", "RandomFifthSentenceQuiz2",
                       "AnswerRightEnding"])
        for i in range(count):
            story = [writer.sentence() for _ in range(4)]
            story[1] = f'"{story[1]}", she said, and left'
            endings = [writer.sentence(), writer.sentence()]
            answer = writer.random.randrange(2)
            rows.writerow([f"id{i}", *story, *endings, answer + 1])
            documents.append({**{f"input_sentence_{k + 1}": s for k, s in enumerate(story)},
                              "sentence_quiz1": endings[0], "sentence_quiz2": endings[1],
                              "answer_right_ending": answer + 1})
            questions.append(multiple(" ".join(story), endings, answer))
    return path, documents, questions


def plain(folder, count):
    writer, rows, questions = Writer(8), [], []
    for i in range(count):
        row = {"context": ["", "Trailing blanks  ", writer.sentence()][i % 3],
               "choices": [writer.phrase() for _ in range(2 + i % 4)]}
        row["answer"] = writer.random.randrange(len(row["choices"]))
        rows.append(row)
        questions.append(multiple(row["context"], row["choices"], row["answer"]))
    return write_lines(folder / "own.jsonl", rows), None, questions


def plain_contexts(folder, count):
    writer, rows = Writer(9), []
    for _ in range(count):
        rows.append({"contexts": [writer.phrase() for _ in range(3)],
                     "continuation": writer.phrase(), "answer": writer.random.randrange(3)})
    return (write_lines(folder / "contexts.jsonl", rows), None,
            [{"requests": [(c, " " + row["continuation"]) for c in row["contexts"]],
              "answer": row["answer"]} for row in rows])


def plain_targets(folder, count):
    writer = Writer(10)
    rows = [{"context": writer.phrase(), "target": writer.phrase(1, 2)} for _ in range(count)]
    return (write_lines(folder / "targets.jsonl", rows), None,
            [{"requests": [(row["context"], " " + row["target"])], "answer": 1} for row in rows])


# The name in results, the kind, what makes its file.
TASKS = [("arc_easy", "arc_easy", arc), ("piqa", "piqa", piqa),
         ("hellaswag", "hellaswag", hellaswag), ("winogrande", "winogrande", winogrande),
         ("lambada", "lambada", lambada), ("copa", "copa", copa),
         ("storycloze", "storycloze", storycloze),
         ("lambada_openai", "lambada_openai", lambada_text),
         ("own.jsonl", "plain", plain), ("contexts.jsonl", "plain", plain_contexts),
         ("targets.jsonl", "plain", plain_targets)]
# In a second call: another file of a task above.
MORE_TASKS = [("copa", "copa", copa_xml)]
