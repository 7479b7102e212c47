// The io room: everything that enters or leaves the program as bytes.
//
// Checkpoints in the Hugging Face layout (config.json, safetensors, shards with an index), or in
// one GGUF file, are mapped, checked and decoded on request, and written in the Hugging Face layout
// tensor by tensor. Tokenizers and corpora turn text into token
// ids; evaluation tasks are read in the files that their authors distribute. HDF5 files hold
// records. Files appear under their name only when complete.
//
// Every byte from outside is hostile: what is wrong is an InputError that says what, where and what
// to do (io/errors.h). This room knows storage and text, not what a layer or a bit width means, and
// includes no other room.
#pragma once

#include "io/checkpoint.h"
#include "io/checkpoint_store.h"
#include "io/checkpoint_writer.h"
#include "io/corpus.h"
#include "io/dtype.h"
#include "io/errors.h"
#include "io/file.h"
#include "io/floats.h"
#include "io/hdf5.h"
#include "io/json_reader.h"
#include "io/label_names.h"
#include "io/labelled_text.h"
#include "io/matrix.h"
#include "io/safetensors.h"
#include "io/stored_tensor.h"
#include "io/tasks/task_file.h"
#include "io/tensor_file.h"
#include "io/tokenizer.h"
