// What the commands of `hone` share.
//
// Rules: results go to stdout, everything else to stderr. Exit codes: 0 done, 1 failed (one line on stderr),
// 2 wrong usage, 130 interrupted with a checkpoint kept.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "arguments.h"
#include "base/error.h"
#include "compute/device.h"
#include "data/dataset.h"
#include "model/sentence_model.h"

namespace hone::cli {

inline constexpr int kOk = 0, kFailed = 1, kUsage = 2, kInterrupted = 130;

// Declares --device, --precision, --isa and --weights.
void add_device(Arguments& arguments);
// What these and --threads ask for, where declared; HONE_CPU_ISA is for whole test runs and stands in for
// --isa.
compute::DeviceOptions device_options(const Arguments& arguments);
// Of these; says what it lacks.
std::shared_ptr<compute::Engine> make_engine(const Arguments& arguments);
// The model of a folder, its weights held as --weights says.
std::shared_ptr<const model::SentenceModel> load_model(const Arguments& arguments, const fs::path& folder);
// --columns, where given.
std::map<std::string, std::string> read_columns(const Arguments& arguments,
                                                std::span<const data::RoleRequest> roles);
// How texts are read: the column of --column, the format of --input-format.
data::ReadOptions read_text_options(const Arguments& arguments);
// Texts of a file: a .txt's lines, or of a table the column of --column, else "text", else the only one.
std::vector<std::string> read_texts(const Arguments& arguments, const fs::path& file);
// Whether the file lies in the folder, or will, links followed.
bool lies_in(const fs::path& file, const fs::path& folder);
// Refuses an output that is a file of --model or --compare.
void check_no_model_file(const Arguments& arguments, const std::string& output);
// The same, or one of these inputs: writing it would destroy what was read.
void check_output(const Arguments& arguments, const std::string& output,
                  std::initializer_list<const char*> inputs);

double peak_megabytes();
std::string duration(double seconds);          // "1 min 05 s"
std::string number(double value, int digits);  // fixed, locale-free

int train(int argc, char** argv);
int encode(int argc, char** argv);
int eval(int argc, char** argv);
int nearest(int argc, char** argv);
int info(int argc, char** argv);
int options(int argc, char** argv);
int losses(int argc, char** argv);

}  // namespace hone::cli
