// How each task of a table is made. Programs go through make_evaluation() in evaluation.h.
#pragma once

#include <memory>

#include "eval/evaluation.h"

namespace hone::eval {

std::unique_ptr<Evaluation> make_sts(const data::Table& table, const model::SentenceModel& model,
                                     const std::shared_ptr<compute::Engine>& engine, const Options& options);
std::unique_ptr<Evaluation> make_binary(const data::Table& table, const model::SentenceModel& model,
                                        const std::shared_ptr<compute::Engine>& engine,
                                        const Options& options);
std::unique_ptr<Evaluation> make_triplet(const data::Table& table, const model::SentenceModel& model,
                                         const std::shared_ptr<compute::Engine>& engine,
                                         const Options& options);
std::unique_ptr<Evaluation> make_pairs(const data::Table& table, const model::SentenceModel& model,
                                       const std::shared_ptr<compute::Engine>& engine,
                                       const Options& options);
std::unique_ptr<Evaluation> make_mse(const data::Table& table, const model::SentenceModel& model,
                                     const std::shared_ptr<compute::Engine>& engine, const Options& options);

}  // namespace hone::eval
