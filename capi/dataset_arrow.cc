// Datasets from Arrow streams.
#include <optional>

#include "arrow.h"
#include "dataset_fill.h"

using hone::cat;
using namespace hone::capi;  // NOLINT(google-build-using-namespace): not a header

namespace {

void check_types(const hone_dataset& d, const ArrowSchema& schema) {
  for (const hone::data::Slot& slot : d.filling->columns->slots()) {
    const std::string_view format = schema.children[slot.index]->format;
    const bool text = slot.texts != nullptr;
    if (schema.children[slot.index]->dictionary == nullptr && (text ? is_text(format) : is_number(format)))
      continue;
    throw StatusError(
        HONE_EFORMAT, "stream",
        cat("stream: column ", hone::data::shown(slot.column), ": found type \"", hone::excerpt(format),
            schema.children[slot.index]->dictionary != nullptr ? "\" with a dictionary" : "\"", ", expected ",
            text ? "utf8 or large_utf8" : "float32, float64, int32 or int64"));
  }
}

}  // namespace

extern "C" {

hone_status hone_dataset_from_arrow(hone_runtime* runtime, struct ArrowArrayStream* stream,
                                    const hone_config* options, hone_dataset** out, hone_error** error) {
  return guarded(error, [&] {
    // Taken over first: it is released in every case.
    std::optional<OwnedStream> owned;
    if (stream != nullptr && stream->release != nullptr) owned.emplace(stream, "stream");
    hone_runtime& checked_runtime = checked(runtime, "runtime");
    if (!owned) owned.emplace(stream, "stream");
    hone::data::ReadOptions read = read_options(options);
    hone_dataset*& made = checked_out(out, "out");
    OwnedSchema schema;
    read_schema(*owned, schema);
    std::vector<std::string> names;
    for (int64_t i = 0; i < schema.schema.n_children; ++i) {
      const char* name = schema.schema.children[i]->name;
      names.emplace_back(name != nullptr ? name : "");
    }
    auto fresh = begin_dataset(checked_runtime, "(stream)", std::move(names), std::move(read));
    check_types(*fresh, schema.schema);
    auto& columns = *fresh->filling->columns;
    for (;;) {
      OwnedArray batch;
      if (!read_batch(*owned, schema.schema, batch)) break;
      for (int64_t row = 0; row < batch.array.length; ++row) {
        add_row(*fresh, [&](const hone::data::Slot& slot, size_t line) {
          const auto column = static_cast<int64_t>(slot.index);
          const std::string_view format = schema.schema.children[column]->format;
          if (is_null(batch.array, column, row)) columns.wrong_value(slot, "null", line);
          if (slot.texts != nullptr) {
            std::string_view text;
            if (!text_at(batch.array, column, format, row, text)) {
              columns.wrong_value(slot, "a text that ends before it begins", line);
            }
            columns.put_text(slot, text, line);
          } else {
            put_number(columns, slot, number_at(batch.array, column, format, row), line);
          }
        });
      }
    }
    if (fresh->table.rows == 0)
      throw StatusError(HONE_EFORMAT, "stream", "stream: no rows found, at least one expected");
    fresh->use();
    made = fresh.release();
  });
}

}  // extern "C"
