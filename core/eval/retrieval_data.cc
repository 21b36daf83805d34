#include "eval/retrieval_data.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "base/hash.h"
#include "data/dataset.h"
#include "text/tokenizer.h"

namespace hone::eval {

namespace {

namespace fs = std::filesystem;

fs::path first_there(const fs::path& folder, std::initializer_list<std::string> names,
                     const std::string& also) {
  std::string looked_for;
  for (const std::string& name : names) {
    for (const char* ending : {"", ".gz"}) {
      fs::path path = folder / (name + ending);
      if (fs::is_regular_file(path)) return path;
    }
    looked_for += cat(looked_for.empty() ? "" : ", ", name);
  }
  fail(folder, ": has no ", looked_for, " (or .gz)", also);
}

// "; it has qrels of dev, train", for a split that is not there.
std::string splits_of(const fs::path& folder) {
  std::set<std::string> splits;
  auto look = [&](const fs::path& where, const std::string& front) {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(where, none)) {
      const std::string name = entry.path().filename().string();
      const size_t end = name.find('.');
      if (end != std::string::npos && name.starts_with(front) && end > front.size())
        splits.insert(name.substr(front.size(), end - front.size()));
    }
  };
  look(folder / "qrels", "");
  look(folder, "qrels_");
  std::string list;
  for (const std::string& split : splits)
    list += cat(list.empty() ? "; it has qrels of " : ", ", excerpt(split));
  return list;
}

data::Table read(const fs::path& path, std::vector<data::RoleRequest> roles) {
  data::ReadOptions options;
  options.roles = std::move(roles);
  options.column_hint = "the names of BEIR are expected";
  return data::read_table(path, options);
}

data::RoleRequest text_role(const char* name) {
  return {.role = name, .also_named = {}};
}

// A document may have none, and so may a corpus.
data::RoleRequest title_role() {
  return {.role = "title", .required = false, .also_named = {}, .sparse = true};
}

data::RoleRequest id_role(const char* name) {
  return {.role = name, .kind = data::ColumnKind::id, .also_named = {}};
}

using Places = std::unordered_map<std::string, uint32_t>;

Places places_of(const data::Table& table) {
  const std::vector<std::string>& ids = table.text("_id");
  if (ids.size() > std::numeric_limits<uint32_t>::max()) fail(table.path, ": more than 2^32 rows found");
  Places places;
  places.reserve(ids.size());
  for (size_t row = 0; row < ids.size(); ++row) {
    const auto [at, fresh] = places.try_emplace(ids[row], static_cast<uint32_t>(row));
    if (fresh) continue;
    fail(table.where(row), ": column \"", excerpt(table.columns.at("_id")), "\": \"", excerpt(ids[row]),
         "\" is there twice, first in line ", table.lines[at->second]);
  }
  return places;
}

// In the order of ids; `places` become those of the new order.
void take_passages(data::Table table, Places& places, RetrievalData& data) {
  std::vector<std::string>&ids = table.texts.at("_id"), &texts = table.texts.at("text");
  std::vector<uint32_t> order(ids.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return ids[a] < ids[b]; });
  const bool titled = table.has("title");
  std::vector<uint32_t> empty;
  for (const uint32_t row : order) {
    places[ids[row]] = static_cast<uint32_t>(data.passages.size());
    const std::string* title = titled ? &table.texts.at("title")[row] : nullptr;
    std::string text = std::move(texts[row]);
    if (title != nullptr && !title->empty()) text = cat(*title, " ", text);
    if (text::only_blanks(text)) empty.push_back(row);
    data.passages.push_back(std::move(text));
    data.passage_ids.push_back(std::move(ids[row]));
  }
  if (empty.empty()) return;
  data.warnings.push_back(
      cat(empty.size(), " of ", order.size(), empty.size() == 1 ? " documents has" : " documents have",
          titled ? " neither title nor text" : " an empty text", empty.size() == 1 ? ": " : ", the first: ",
          table.where(*std::min_element(empty.begin(), empty.end()))));
}

// [rows of queries]: the passages relevant to each.
std::vector<std::vector<uint32_t>> judged(const data::Table& qrels, const Places& queries,
                                          const Places& passages, const RetrievalFiles& files) {
  const auto &query_ids = qrels.text("query-id"), &passage_ids = qrels.text("corpus-id");
  const auto& scores = qrels.number("score");
  auto find = [&](const Places& places, const std::string& id, size_t row, const char* role,
                  const fs::path& file) {
    const auto found = places.find(id);
    if (found != places.end()) return found->second;
    fail(qrels.where(row), ": column \"", role, "\": found \"", excerpt(id), "\", which is not in ", file);
  };
  std::vector<std::vector<uint32_t>> relevant(queries.size());
  for (size_t row = 0; row < qrels.rows; ++row) {
    if (!(scores[row] > 0)) continue;
    const uint32_t query = find(queries, query_ids[row], row, "query-id", files.queries);
    relevant[query].push_back(find(passages, passage_ids[row], row, "corpus-id", files.corpus));
  }
  return relevant;
}

}  // namespace

uint64_t hash_of(const RetrievalData& data) {
  Hash hash;
  for (const auto* texts : {&data.passage_ids, &data.passages, &data.query_ids, &data.queries}) {
    hash.add(static_cast<uint64_t>(texts->size()));
    for (const std::string& text : *texts) hash.add(std::string_view(text));
  }
  for (const auto& places : data.relevant) {
    hash.add(static_cast<uint64_t>(places.size()));
    for (const uint32_t place : places) hash.add(static_cast<uint64_t>(place));
  }
  for (const uint32_t place : data.left_out) hash.add(static_cast<uint64_t>(place));
  return hash.value();
}

RetrievalFiles find_retrieval_files(const fs::path& folder, std::string_view split) {
  if (!fs::is_directory(folder)) fail(folder, ": is not a folder, one in the layout of BEIR expected");
  if (split.empty() || split.find('/') != split.npos)
    fail_usage("split: \"", excerpt(split), "\" found, the name of a split expected (test)");
  const std::string name(split);
  return {first_there(folder, {"corpus.jsonl"}, ""), first_there(folder, {"queries.jsonl"}, ""),
          first_there(folder,
                      {cat("qrels/", name, ".tsv"), cat("qrels_", name, ".tsv"),
                       cat("qrels/", name, ".jsonl"), cat("qrels_", name, ".jsonl")},
                      splits_of(folder))};
}

RetrievalData read_retrieval(const RetrievalFiles& files) {
  RetrievalData data;
  data.files = files;
  data.source = files.qrels.string();
  const data::Table qrels =
      read(files.qrels, {id_role("query-id"),
                         id_role("corpus-id"),
                         {.role = "score", .kind = data::ColumnKind::number, .also_named = {}}});
  data::Table queries = read(files.queries, {id_role("_id"), text_role("text")});
  const Places query_places = places_of(queries);
  data::Table corpus = read(files.corpus, {id_role("_id"), text_role("text"), title_role()});
  if (std::string empty = data::about_empty_texts(queries, std::vector<std::string>{"text"}); !empty.empty())
    data.warnings.push_back(std::move(empty));
  Places passage_places = places_of(corpus);
  take_passages(std::move(corpus), passage_places, data);

  auto relevant = judged(qrels, query_places, passage_places, files);
  for (size_t row = 0; row < queries.rows; ++row) {
    auto& places = relevant[row];
    if (places.empty()) continue;
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    data.query_ids.push_back(std::move(queries.texts.at("_id")[row]));
    data.queries.push_back(std::move(queries.texts.at("text")[row]));
    data.relevant.push_back(std::move(places));
  }
  if (data.queries.empty()) fail(files.qrels, ": no query has a relevant passage (a score above 0)");
  data.content_hash = hash_of(data);
  return data;
}

}  // namespace hone::eval
