// Filling a dataset row by row, from wherever rows come.
#pragma once

#include <functional>
#include <span>

#include "arrow.h"
#include "handles.h"

namespace hone::capi {

struct ReleaseDataset {
  void operator()(hone_dataset* dataset) const { release(dataset); }
};

// What a dataset, argument `name` of a call, is as data of an evaluation: by eval.*, or by what there is
// where that does not say the task. Where it is compared with another, `first` is the model that says how
// both are scored.
std::unique_ptr<eval::Evaluation> make_evaluation(const hone_dataset& dataset, const char* name,
                                                  const model::SentenceModel& model,
                                                  const std::shared_ptr<compute::Engine>& engine,
                                                  const config::Options& given,
                                                  const model::SentenceModel* first = nullptr);

// The roles that a dataset reads, and the columns that data.columns names.
data::ReadOptions read_options(std::span<const std::string> names, const std::string& source,
                               const hone_config* options);

// Throws StatusError(HONE_EFORMAT) where a column is missing.
std::unique_ptr<hone_dataset, ReleaseDataset> begin_dataset(hone_runtime& runtime, std::string source,
                                                            std::vector<std::string> names,
                                                            data::ReadOptions options);

// All rows of a stream; `choose` says what is read of columns of these names.
using ChooseRoles = std::function<data::ReadOptions(std::span<const std::string> names)>;
std::unique_ptr<hone_dataset, ReleaseDataset> read_stream(hone_runtime& runtime, OwnedStream& stream,
                                                          const ChooseRoles& choose);

// What the core finds wrong with data in memory is HONE_EFORMAT.
template <class F>
decltype(auto) as_format(const F& f, int64_t row = -1) {
  try {
    return f();
  } catch (const StatusError&) {
    throw;
  } catch (const UsageError&) {
    throw;  // an option's
  } catch (const Error& e) {
    throw StatusError(HONE_EFORMAT, std::string(), e.what(), row);
  }
}

// The same of the data that a call was given as argument `name`.
template <class F>
decltype(auto) about_data(const char* name, const F& f) {
  try {
    return f();
  } catch (const StatusError&) {
    throw;
  } catch (const UsageError&) {
    throw;  // an option's
  } catch (const RowError& e) {
    throw StatusError(HONE_EFORMAT, name, e.what(), e.row());
  } catch (const Error& e) {
    throw StatusError(HONE_EFORMAT, name, e.what());
  }
}

// Calls put(slot, line) for each column that is read; a row that fails is taken back whole.
template <class F>
void add_row(hone_dataset& d, const F& put) {
  const size_t row = d.table.rows;
  try {
    as_format(
        [&] {
          for (const data::Slot& slot : d.filling->columns->slots()) put(slot, row + 1);
          d.filling->columns->end_row(row + 1);
        },
        static_cast<int64_t>(row));
  } catch (...) {
    d.filling->columns->take_back();
    throw;
  }
}

}  // namespace hone::capi
