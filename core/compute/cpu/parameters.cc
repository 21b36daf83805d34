#include "compute/cpu/parameters.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"

namespace hone::compute::cpu {

namespace {
constexpr int64_t kUpdateBlock = 1 << 15;  // floats a task updates
constexpr int64_t kFlushRows = 64;         // table rows a task brings up to date
}  // namespace

Parameter CpuParameters::add(std::string name, Shape shape, std::span<const float> values,
                             std::shared_ptr<const void> owner, ParameterOptions options) {
  if (static_cast<int64_t>(values.size()) != shape.rows * shape.cols) {
    fail("parameter ", name, ": ", values.size(), " values for shape [", shape.rows, ",", shape.cols, "]");
  }
  Entry e;
  e.name = std::move(name);
  e.shape = shape;
  e.options = options;
  if (options.trainable) {
    e.owned = aligned_floats(values.size());
    std::memcpy(e.owned.get(), values.data(), values.size_bytes());
    e.value = e.owned.get();
    if (options.row_sparse) {
      e.slot_of_row.assign(static_cast<size_t>(shape.rows), -1);
      e.applied.assign(static_cast<size_t>(shape.rows), 0);
      e.live.assign(static_cast<size_t>(shape.rows), 0);
    }
  } else {
    e.value = values.data();
    e.owner = std::move(owner);
  }
  entries_.push_back(std::move(e));
  return {static_cast<int32_t>(entries_.size()) - 1};
}

void CpuParameters::read(Parameter p, State state, std::span<float> out) {
  Entry& e = at(p);
  flush(e);
  const float* from = state == State::value          ? e.value
                      : state == State::first_moment ? e.first.get()
                                                     : e.second.get();
  if (from == nullptr) {
    std::fill(out.begin(), out.end(), 0.0F);
  } else {
    std::memcpy(out.data(), from, static_cast<size_t>(e.size()) * sizeof(float));
  }
}

void CpuParameters::write(Parameter p, State state, std::span<const float> values) {
  Entry& e = at(p);
  if (!e.options.trainable) fail("parameter ", e.name, " is frozen and cannot be written");
  if (static_cast<int64_t>(values.size()) != e.size()) {
    fail("parameter ", e.name, ": ", values.size(), " values given, ", e.size(), " expected");
  }
  flush(e);
  if (state != State::value) ensure_moments(e);
  float* to = state == State::value          ? e.owned.get()
              : state == State::first_moment ? e.first.get()
                                             : e.second.get();
  std::memcpy(to, values.data(), values.size_bytes());
  if (state != State::value && e.options.row_sparse) {
    for (int64_t r = 0; r < e.shape.rows; ++r) {
      auto row = values.subspan(static_cast<size_t>(r * e.shape.cols), static_cast<size_t>(e.shape.cols));
      if (std::any_of(row.begin(), row.end(), [](float x) { return x != 0; }))
        e.live[static_cast<size_t>(r)] = 1;
    }
  }
  ++version_;
}

void CpuParameters::read_gradient(Parameter p, std::span<float> out) {
  Entry& e = at(p);
  std::fill(out.begin(), out.end(), 0.0F);
  if (!e.has_gradient) return;
  if (!e.options.row_sparse) {
    std::memcpy(out.data(), e.gradient.get(), static_cast<size_t>(e.size()) * sizeof(float));
    return;
  }
  for (size_t slot = 0; slot < e.slot_rows.size(); ++slot) {
    std::memcpy(out.data() + e.slot_rows[slot] * e.shape.cols,
                e.row_gradients.get() + static_cast<int64_t>(slot) * e.shape.cols,
                static_cast<size_t>(e.shape.cols) * sizeof(float));
  }
}

float* CpuParameters::gradient(Parameter p, bool& accumulate) {
  Entry& e = at(p);
  if (!e.gradient) e.gradient = aligned_floats(static_cast<size_t>(e.size()));
  accumulate = e.has_gradient;
  e.has_gradient = true;
  return e.gradient.get();
}

std::vector<float*> CpuParameters::gradient_rows(Parameter p, std::span<const int32_t> ids) {
  Entry& e = at(p);
  const int64_t width = e.shape.cols;
  if (!e.options.row_sparse) {
    bool accumulate = false;
    float* dense = gradient(p, accumulate);
    if (!accumulate) std::fill_n(dense, e.size(), 0.0F);
    std::vector<float*> rows;
    for (int32_t id : ids) rows.push_back(dense + id * width);
    return rows;
  }
  e.has_gradient = true;
  std::vector<int32_t> fresh;
  for (int32_t id : ids) {
    if (e.slot_of_row[static_cast<size_t>(id)] < 0) fresh.push_back(id);
  }
  const size_t needed = e.slot_rows.size() + fresh.size();
  if (needed > e.row_capacity) {
    const size_t capacity = std::max(needed, e.row_capacity * 3 / 2);
    AlignedFloats larger = aligned_floats(capacity * static_cast<size_t>(width));
    if (!e.slot_rows.empty()) {
      std::memcpy(larger.get(), e.row_gradients.get(),
                  e.slot_rows.size() * static_cast<size_t>(width) * sizeof(float));
    }
    e.row_gradients = std::move(larger);
    e.row_capacity = capacity;
  }
  for (int32_t id : fresh) {
    e.slot_of_row[static_cast<size_t>(id)] = static_cast<int32_t>(e.slot_rows.size());
    std::fill_n(e.row_gradients.get() + static_cast<int64_t>(e.slot_rows.size()) * width, width, 0.0F);
    e.slot_rows.push_back(id);
  }
  std::vector<float*> rows;
  rows.reserve(ids.size());
  for (int32_t id : ids)
    rows.push_back(e.row_gradients.get() + e.slot_of_row[static_cast<size_t>(id)] * width);
  return rows;
}

void CpuParameters::add_gradient(Parameter p, std::span<const float> values) {
  const Entry& e = at(p);
  if (!e.options.trainable || e.options.row_sparse)
    fail("parameter ", e.name, " takes no gradient from outside");
  if (static_cast<int64_t>(values.size()) != e.size())
    fail("parameter ", e.name, ": a gradient of ", values.size(), " values given, ", e.size(), " expected");
  bool accumulate = false;
  float* to = gradient(p, accumulate);
  if (accumulate) {
    add_to(to, values.data(), e.size());
  } else {
    std::copy(values.begin(), values.end(), to);
  }
}

void CpuParameters::clear_gradients() {
  for (Entry& e : entries_) {
    e.has_gradient = false;
    for (int32_t row : e.slot_rows) e.slot_of_row[static_cast<size_t>(row)] = -1;
    e.slot_rows.clear();
  }
}

double CpuParameters::gradient_norm() {
  struct Piece {
    const float* data;
    int64_t size;
  };
  std::vector<Piece> pieces;
  for (const Entry& e : entries_) {
    if (!e.has_gradient) continue;
    const float* data = e.options.row_sparse ? e.row_gradients.get() : e.gradient.get();
    const int64_t size =
        e.options.row_sparse ? static_cast<int64_t>(e.slot_rows.size()) * e.shape.cols : e.size();
    for (int64_t i = 0; i < size; i += kUpdateBlock)
      pieces.push_back({data + i, std::min(kUpdateBlock, size - i)});
  }
  std::vector<double> sums(pieces.size());
  runtime_.parallel(static_cast<int64_t>(pieces.size()), [&](int64_t i, int) {
    const Piece& piece = pieces[static_cast<size_t>(i)];
    sums[static_cast<size_t>(i)] = squared_norm(piece.data, piece.size);
  });
  double total = 0;
  for (double s : sums) total += s;
  return std::sqrt(total);
}

void CpuParameters::ensure_moments(Entry& e) {
  if (e.first) return;
  for (AlignedFloats* moment : {&e.first, &e.second}) {
    *moment = aligned_floats(static_cast<size_t>(e.size()));
    std::fill_n(moment->get(), e.size(), 0.0F);
  }
}

void CpuParameters::step(const AdamW& a) {
  AdamWConstants c;
  c.beta1 = a.beta1;
  c.beta2 = a.beta2;
  c.eps = a.eps;
  c.gradient_scale = a.gradient_scale;
  const double t = static_cast<double>(a.step);
  const double first_correction = 1 - std::pow(static_cast<double>(a.beta1), t);
  c.root_correction = static_cast<float>(std::sqrt(1 - std::pow(static_cast<double>(a.beta2), t)));
  const auto constants_of = [&](const Entry& e) {
    AdamWConstants own = c;
    own.learning_rate = a.learning_rate * e.options.rate;
    own.step_size = static_cast<float>(own.learning_rate / first_correction);
    own.keep = e.options.decay ? 1 - own.learning_rate * a.weight_decay : 1;
    return own;
  };

  struct Piece {
    Entry* entry;
    int64_t begin, end;
  };
  std::vector<Piece> pieces;
  for (Entry& e : entries_) {
    if (!e.has_gradient) continue;
    ensure_moments(e);
    if (e.options.row_sparse) {
      step_rows(e, constants_of(e));
      continue;
    }
    for (int64_t i = 0; i < e.size(); i += kUpdateBlock)
      pieces.push_back({&e, i, std::min(e.size(), i + kUpdateBlock)});
  }
  runtime_.parallel(static_cast<int64_t>(pieces.size()), [&](int64_t i, int) {
    const Piece& piece = pieces[static_cast<size_t>(i)];
    Entry& e = *piece.entry;
    adamw_update(e.owned.get() + piece.begin, e.first.get() + piece.begin, e.second.get() + piece.begin,
                 e.gradient.get() + piece.begin, piece.end - piece.begin, constants_of(e));
  });
  ++version_;
}

// Rows with a gradient are updated now, the others when they are next read.
void CpuParameters::step_rows(Entry& e, const AdamWConstants& constants) {
  e.history.push_back(constants);
  const int64_t width = e.shape.cols;
  runtime_.parallel(static_cast<int64_t>(e.slot_rows.size()), [&](int64_t slot, int) {
    const int64_t row = e.slot_rows[static_cast<size_t>(slot)];
    if (e.applied[static_cast<size_t>(row)] + 1 < e.history.size()) {
      fail("parameter ", e.name, ": row ", row, " has a gradient but was not prepared");
    }
    adamw_update(e.owned.get() + row * width, e.first.get() + row * width, e.second.get() + row * width,
                 e.row_gradients.get() + slot * width, width, constants);
    e.applied[static_cast<size_t>(row)] = static_cast<uint32_t>(e.history.size());
    e.live[static_cast<size_t>(row)] = 1;
  });
}

void CpuParameters::catch_up(Entry& e, int64_t row) {
  uint32_t& applied = e.applied[static_cast<size_t>(row)];
  const AdamWConstants* first = e.history.data() + applied;
  const AdamWConstants* last = e.history.data() + e.history.size();
  applied = static_cast<uint32_t>(e.history.size());
  const bool decays = std::any_of(first, last, [](const AdamWConstants& c) { return c.keep != 1; });
  if (!e.live[static_cast<size_t>(row)] && !decays) return;  // zero moments and no decay: nothing moves
  const int64_t width = e.shape.cols;
  adamw_replay(e.owned.get() + row * width, e.first.get() + row * width, e.second.get() + row * width, width,
               first, last);
}

void CpuParameters::prepare_rows(Parameter p, std::span<const int32_t> ids) {
  Entry& e = at(p);
  if (e.history.empty()) return;  // also: not row-sparse
  std::vector<int32_t> behind;
  for (int32_t id : ids) {
    if (e.applied[static_cast<size_t>(id)] < e.history.size()) behind.push_back(id);
  }
  std::sort(behind.begin(), behind.end());
  behind.erase(std::unique(behind.begin(), behind.end()), behind.end());
  runtime_.parallel(static_cast<int64_t>(behind.size()),
                    [&](int64_t i, int) { catch_up(e, behind[static_cast<size_t>(i)]); });
}

void CpuParameters::flush(Entry& e) {
  if (e.history.empty()) return;
  runtime_.parallel((e.shape.rows + kFlushRows - 1) / kFlushRows, [&](int64_t block, int) {
    const int64_t end = std::min(e.shape.rows, (block + 1) * kFlushRows);
    for (int64_t row = block * kFlushRows; row < end; ++row) catch_up(e, row);
  });
  e.history.clear();
  std::fill(e.applied.begin(), e.applied.end(), 0U);
}

CpuParameters::Transposed CpuParameters::transposed(std::span<const Linear> layers) {
  std::vector<int32_t> key;
  for (const Linear& layer : layers) {
    key.push_back(layer.weight.id);
    key.push_back(layer.bias.id);
  }
  std::lock_guard lock(layouts_mutex_);
  Layout& layout = layouts_[key];
  if (layout.version != version_) {
    fill(layout, layers);
    layout.version = version_;
  }
  return {layout.strips(), layout.has_bias ? layout.bias.get() : nullptr};
}

void CpuParameters::fill(Layout& layout, std::span<const Linear> layers) {
  struct Piece {
    const float* from;
    int64_t rows, column;
  };
  constexpr int64_t kRows = 48;
  std::vector<Piece> pieces;
  layout.n = 0;
  layout.k = shape(layers[0].weight).cols;
  for (const Linear& layer : layers) {
    const int64_t rows = shape(layer.weight).rows;
    for (int64_t r = 0; r < rows; r += kRows)
      pieces.push_back({value(layer.weight) + r * layout.k, std::min(kRows, rows - r), layout.n + r});
    layout.n += rows;
    layout.has_bias = layout.has_bias || layer.bias;
  }
  if (!layout.weight) layout.weight = aligned_floats(static_cast<size_t>(layout.strips().size()));
  const Strips strips = layout.strips();
  runtime_.parallel(static_cast<int64_t>(pieces.size()), [&](int64_t i, int) {
    const Piece& piece = pieces[static_cast<size_t>(i)];
    pack_transposed(piece.from, layout.k, piece.rows, piece.column, strips);
  });
  if (!layout.has_bias) return;
  if (!layout.bias) layout.bias = aligned_floats(static_cast<size_t>(layout.n));
  int64_t column = 0;
  for (const Linear& layer : layers) {
    const int64_t rows = shape(layer.weight).rows;
    if (layer.bias) {
      std::memcpy(layout.bias.get() + column, value(layer.bias), static_cast<size_t>(rows) * sizeof(float));
    } else {
      std::fill_n(layout.bias.get() + column, rows, 0.0F);
    }
    column += rows;
  }
}

}  // namespace hone::compute::cpu
