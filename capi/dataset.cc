// Datasets from files and from rows.
//
// Rules: whatever its source, a table is filled through data::Columns, which checks UTF-8, numbers and
// widths. A dataset that is filled row by row becomes a table when something uses it; from then on it is as
// it is, since whoever uses it reads without a lock.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "dataset_fill.h"
#include "eval/comparison.h"
#include "eval/retrieval.h"
#include "eval/task_columns.h"
#include "handles.h"
#include "texts.h"
#include "train/data_roles.h"

using hone::cat;
using namespace hone::capi;  // NOLINT(google-build-using-namespace): not a header

namespace hone::capi {

namespace {

constexpr const char* kRetrieval = "retrieval";

}  // namespace

std::unique_ptr<eval::Evaluation> make_evaluation(const hone_dataset& dataset, const char* name,
                                                  const model::SentenceModel& model,
                                                  const std::shared_ptr<compute::Engine>& engine,
                                                  const config::Options& given,
                                                  const model::SentenceModel* first) {
  eval::Options options = eval::evaluation_options(given);
  const bool asked = given.given("eval.task");
  std::string task = given.text("eval.task");
  const auto for_task = [&](const std::string& name_of_task) {
    return first == nullptr ? options : eval::comparison_options(options, name_of_task, *first);
  };
  if (dataset.retrieval && (!asked || task == kRetrieval))
    return eval::make_retrieval(*dataset.retrieval, model, engine, for_task(kRetrieval));
  const data::Table& table = dataset.use(name);
  if (asked && task == kRetrieval) {
    throw StatusError(
        HONE_EFORMAT, name,
        cat(name, ": rows found, a corpus (hone_dataset_read_retrieval) expected for eval.task ", task));
  }
  return about_data(name, [&] {
    if (!asked) task = eval::task_for(table);
    return eval::make_evaluation(task, table, model, engine, for_task(task));
  });
}

data::ReadOptions read_options(std::span<const std::string> names, const std::string& source,
                               const hone_config* options) {
  const config::Options& given = options_of(options);
  std::map<std::string, std::string> columns;
  if (given.given("data.columns")) {
    try {
      columns = data::parse_columns(given.text("data.columns"), train::all_roles());
    } catch (const Error& e) {
      throw config::OptionError("data.columns", e.what());
    }
  }
  std::string task = given.given("eval.task") ? given.text("eval.task") : "";
  if (task == kRetrieval) task.clear();  // which is no task of rows
  data::ReadOptions read = train::roles_wanted(names, source, columns, given.text("train.loss"), task);
  read.column_hint = "data.columns \"ROLE=NAME\" names another";
  return read;
}

std::unique_ptr<hone_dataset, ReleaseDataset> begin_dataset(hone_runtime& runtime, std::string source,
                                                            std::vector<std::string> names,
                                                            data::ReadOptions options) {
  std::unique_ptr<hone_dataset, ReleaseDataset> made(new hone_dataset(Ref(runtime)));
  made->source = source;
  made->table.path = std::move(source);
  made->filling = std::make_unique<hone_dataset::Filling>();
  auto& filling = *made->filling;
  filling.names = std::move(names);
  filling.options = std::move(options);
  filling.columns.emplace(made->table, filling.options);
  const std::vector<std::string_view> views(filling.names.begin(), filling.names.end());
  as_format([&] { filling.columns->choose(views, 0); });
  return made;
}

}  // namespace hone::capi

namespace {

void put_value(hone::data::Columns& columns, const hone::data::Slot& slot, const hone_value& value,
               size_t line) {
  if (slot.numbers != nullptr) return columns.put_number(slot, value.number, line);
  if (slot.vectors != nullptr) {
    const auto& [data, size] = value.vector;
    if (size > kMostBytes / sizeof *data)
      fail_argument("values", cat("a vector of ", size, " numbers"), "one that fits into memory");
    if (data == nullptr && size != 0) fail_argument("values", cat("NULL for ", size, " numbers"), "a vector");
    return columns.put_vector(slot, size == 0 ? std::span<const float>() : std::span(data, size), line);
  }
  const auto& [data, size] = value.text;
  if (size > kMostBytes)
    fail_argument("values", cat("a text of ", size, " bytes"), "one that fits into memory");
  if (data == nullptr && size != 0) fail_argument("values", cat("NULL for ", size, " bytes"), "a text");
  columns.put_text(slot, size == 0 ? std::string_view() : std::string_view(data, size), line);
}

// Of a corpus; a row is a query.
nlohmann::ordered_json retrieval_info(const hone_dataset& d, size_t head) {
  const hone::eval::RetrievalData& data = *d.retrieval;
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (size_t q = 0; q < std::min(head, data.queries.size()); ++q) {
    nlohmann::ordered_json relevant = nlohmann::ordered_json::array();
    for (uint32_t passage : data.relevant[q]) relevant.push_back(data.passage_ids[passage]);
    rows.push_back(
        {{"id", data.query_ids[q]}, {"query", data.queries[q]}, {"relevant", std::move(relevant)}});
  }
  return {{"source", d.source},
          {"rows", data.queries.size()},
          {"passages", data.passages.size()},
          {"head", std::move(rows)}};
}

}  // namespace

const hone::data::Table& hone_dataset::use(const char* name) const {
  std::lock_guard lock(mutex);
  const hone::data::Table& whole = complete(name);
  used = true;
  return whole;
}

hone::data::Table& hone_dataset::complete(const char* name) const {
  if (retrieval) {
    throw StatusError(HONE_EFORMAT, name, cat(name, ": a corpus with queries found, rows expected"));
  }
  if (filling) {
    if (table.rows == 0)
      throw StatusError(HONE_EINVAL, name, cat(name, ": no rows found, at least one expected"));
    filling->columns->finish();
    filling.reset();
  }
  return table;
}

extern "C" {

hone_status hone_dataset_read(hone_runtime* runtime, const char* file, const hone_config* options,
                              hone_dataset** out, hone_error** error) {
  return guarded(error, [&] {
    hone_runtime& checked_runtime = checked(runtime, "runtime");
    const std::string_view path = checked_text(file, "file");
    hone_dataset*& made = checked_out(out, "out");
    const hone::data::ReadOptions read =
        read_options(hone::data::column_names(std::filesystem::path(path)), std::string(path), options);
    std::unique_ptr<hone_dataset, ReleaseDataset> fresh(new hone_dataset(Ref(checked_runtime)));
    fresh->source = path;
    fresh->table = hone::data::read_table(std::filesystem::path(path), read);
    made = fresh.release();
  });
}

hone_status hone_dataset_read_retrieval(hone_runtime* runtime, const char* corpus, const char* queries,
                                        const char* qrels, hone_dataset** out, hone_error** error) {
  return guarded(error, [&] {
    hone_runtime& checked_runtime = checked(runtime, "runtime");
    const hone::eval::RetrievalFiles files{std::filesystem::path(checked_text(corpus, "corpus")),
                                           std::filesystem::path(checked_text(queries, "queries")),
                                           std::filesystem::path(checked_text(qrels, "qrels"))};
    hone_dataset*& made = checked_out(out, "out");
    std::unique_ptr<hone_dataset, ReleaseDataset> fresh(new hone_dataset(Ref(checked_runtime)));
    fresh->source = corpus;
    fresh->retrieval = std::make_shared<const hone::eval::RetrievalData>(hone::eval::read_retrieval(files));
    made = fresh.release();
  });
}

hone_status hone_dataset_create(hone_runtime* runtime, const char* const* columns, size_t count,
                                const hone_config* options, hone_dataset** out, hone_error** error) {
  return guarded(error, [&] {
    hone_runtime& checked_runtime = checked(runtime, "runtime");
    if (columns == nullptr) fail_argument("columns", "NULL", "names of columns");
    if (count == 0 || count > hone::data::kMostColumns) {
      fail_argument("count", cat(count), cat("1 to ", hone::data::kMostColumns));
    }
    std::vector<std::string> names;
    for (size_t i = 0; i < count; ++i) names.emplace_back(checked_text(columns[i], "columns"));
    hone_dataset*& made = checked_out(out, "out");
    hone::data::ReadOptions read;
    as_format([&] { read = read_options(names, "(rows)", options); });
    made = begin_dataset(checked_runtime, "(rows)", std::move(names), std::move(read)).release();
  });
}

hone_status hone_dataset_add(hone_dataset* dataset, const hone_value* values, size_t count,
                             hone_error** error) {
  return guarded(error, [&] {
    hone_dataset& d = checked(dataset, "dataset");
    if (values == nullptr) fail_argument("values", "NULL", "the values of a row");
    std::lock_guard lock(d.mutex);
    if (!d.filling) {
      throw StatusError(HONE_EBUSY, "dataset",
                        "dataset: its rows are in use or complete, no more can be added");
    }
    const size_t columns = d.filling->names.size();
    if (count != columns) fail_argument("count", cat(count), cat(columns, ", as there are columns,"));
    add_row(d, [&](const hone::data::Slot& slot, size_t line) {
      put_value(*d.filling->columns, slot, values[slot.index], line);
    });
  });
}

hone_status hone_dataset_append(hone_dataset* dataset, const hone_dataset* other, hone_error** error) {
  return guarded(error, [&] {
    hone_dataset& d = checked(dataset, "dataset");
    const hone_dataset& o = checked(other, "other");
    hone::data::Table more;
    {
      // One lock at a time: two threads may append two datasets to each other, and a dataset may be its own
      // other.
      std::lock_guard lock(o.mutex);
      more = o.complete("other");
    }
    std::lock_guard lock(d.mutex);
    if (d.used)
      throw StatusError(HONE_EBUSY, "dataset", "dataset: its rows are in use, no more can be added");
    hone::data::Table& table = d.complete("dataset");
    about_data("other", [&] { table.append(std::move(more)); });
    d.source = table.source();
  });
}

int64_t hone_dataset_size(const hone_dataset* dataset) {
  return guarded_number<int64_t>([&] {
    const hone_dataset& d = checked(dataset, "dataset");
    if (d.retrieval) return static_cast<int64_t>(d.retrieval->queries.size());
    std::lock_guard lock(d.mutex);
    return static_cast<int64_t>(d.table.rows);
  });
}

hone_status hone_dataset_info(const hone_dataset* dataset, size_t head, hone_buffer** out,
                              hone_error** error) {
  return guarded(error, [&] {
    const hone_dataset& d = checked(dataset, "dataset");
    hone_buffer*& made = checked_out(out, "out");
    if (d.retrieval) {
      made = make_json(retrieval_info(d, head));
      return;
    }
    std::lock_guard lock(d.mutex);
    nlohmann::ordered_json columns = nlohmann::ordered_json::object();
    for (const auto& [role, name] : d.table.columns) {
      columns[role] = {{"name", name}, {"type", d.table.texts.contains(role) ? "text" : "number"}};
    }
    for (const auto& [role, vectors] : d.table.vectors) {
      columns[role]["type"] = "vector";
      columns[role]["width"] = vectors.width;
    }
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    for (size_t row = 0; row < std::min(head, d.table.rows); ++row) {
      nlohmann::ordered_json shown = nlohmann::ordered_json::object();
      for (const auto& [role, values] : d.table.texts) shown[role] = values[row];
      for (const auto& [role, values] : d.table.numbers) shown[role] = values[row];
      for (const auto& [role, values] : d.table.vectors) shown[role] = values.row(row);
      rows.push_back(std::move(shown));
    }
    const nlohmann::ordered_json j = {
        {"source", d.source}, {"rows", d.table.rows}, {"columns", columns}, {"head", rows}};
    made = make_json(j);
  });
}

hone_dataset* hone_dataset_retain(hone_dataset* dataset) {
  return retain(dataset);
}
void hone_dataset_release(hone_dataset* dataset) {
  release(dataset);
}

}  // extern "C"
