// Datasets from Arrow streams.
#include <optional>

#include "arrow.h"
#include "arrow_vector.h"
#include "dataset_fill.h"

using namespace hone::capi;  // NOLINT(google-build-using-namespace): not a header

namespace hone::capi {

namespace {

void check_types(const hone_dataset& d, const ArrowSchema& schema) {
  for (const data::Slot& slot : d.filling->columns->slots()) {
    const ArrowSchema& field = *schema.children[slot.index];
    const bool plain = field.dictionary == nullptr;
    const bool id = slot.request->kind == data::ColumnKind::id;
    const bool fits = slot.texts != nullptr
                          ? plain && (is_text(field.format) || (id && is_whole(field.format)))
                      : slot.numbers != nullptr ? plain && is_number(field.format)
                                                : is_vector(field);
    if (fits) continue;
    throw StatusError(
        HONE_EFORMAT, "stream",
        cat("stream: column ", data::shown(slot.column), ": found type ", shown_type(field), ", expected ",
            id                        ? "utf8, large_utf8, int32 or int64"
            : slot.texts != nullptr   ? "utf8 or large_utf8"
            : slot.numbers != nullptr ? "float32, float64, int32 or int64"
                                      : "a list of float32 or float64"));
  }
}

void put_value(data::Columns& columns, const data::Slot& slot, const ArrowSchema& schema,
               const ArrowArray& batch, int64_t row, size_t line) {
  const auto column = static_cast<int64_t>(slot.index);
  const ArrowSchema& field = *schema.children[column];
  if (is_null(batch, column, row)) {
    if (slot.request->sparse) return columns.put_text(slot, {}, line);
    columns.wrong_value(slot, "null", line);
  }
  if (slot.texts != nullptr && is_whole(field.format)) {
    columns.put_text(slot, std::to_string(whole_at(batch, column, field.format, row)), line);
  } else if (slot.texts != nullptr) {
    std::string_view text;
    if (!text_at(batch, column, field.format, row, text))
      columns.wrong_value(slot, "a text that ends before it begins", line);
    columns.put_text(slot, text, line);
  } else if (slot.numbers != nullptr) {
    columns.put_number(slot, number_at(batch, column, field.format, row), line);
  } else {
    VectorView vector;
    const std::string wrong = vector_at(batch, column, field, row, vector);
    if (!wrong.empty()) columns.wrong_value(slot, wrong, line);
    vector.is_double ? columns.put_vector(slot, vector.doubles, line)
                     : columns.put_vector(slot, vector.floats, line);
  }
}

}  // namespace

std::unique_ptr<hone_dataset, ReleaseDataset> read_stream(hone_runtime& runtime, OwnedStream& stream,
                                                          const ChooseRoles& choose) {
  OwnedSchema schema;
  read_schema(stream, schema);
  std::vector<std::string> names;
  for (int64_t i = 0; i < schema.schema.n_children; ++i) {
    const char* name = schema.schema.children[i]->name;
    names.emplace_back(name != nullptr ? name : "");
  }
  data::ReadOptions read;
  as_format([&] { read = choose(names); });
  auto made = begin_dataset(runtime, "(stream)", std::move(names), std::move(read));
  check_types(*made, schema.schema);
  for (;;) {
    OwnedArray batch;
    if (!read_batch(stream, schema.schema, batch)) break;
    for (int64_t row = 0; row < batch.array.length; ++row) {
      add_row(*made, [&](const data::Slot& slot, size_t line) {
        put_value(*made->filling->columns, slot, schema.schema, batch.array, row, line);
      });
    }
  }
  if (made->table.rows == 0)
    throw StatusError(HONE_EFORMAT, "stream", "stream: no rows found, at least one expected");
  made->complete("stream");
  return made;
}

}  // namespace hone::capi

extern "C" {

hone_status hone_dataset_from_arrow(hone_runtime* runtime, struct ArrowArrayStream* stream,
                                    const hone_config* options, hone_dataset** out, hone_error** error) {
  return guarded(error, [&] {
    // Taken over first: it is released in every case.
    std::optional<OwnedStream> owned;
    if (stream != nullptr && stream->release != nullptr) owned.emplace(stream, "stream");
    hone_runtime& checked_runtime = checked(runtime, "runtime");
    if (!owned) owned.emplace(stream, "stream");
    hone_dataset*& made = checked_out(out, "out");
    made = read_stream(checked_runtime, *owned, [&](std::span<const std::string> names) {
             return read_options(names, "(stream)", options);
           }).release();
  });
}

}  // extern "C"
