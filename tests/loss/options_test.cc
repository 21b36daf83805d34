// The table of losses and --loss-options: what is read, what is refused and in which words.
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "tests/loss/loss_cases.h"

namespace hone::loss {
namespace {

template <class Call>
void expect_refused(const Call& call, const std::string& line) {
  try {
    call();
    ADD_FAILURE() << "nothing was refused, expected: " << line;
  } catch (const UsageError& e) {
    EXPECT_EQ(std::string(e.what()), line);
  }
}
void refused(const std::string& loss, const std::string& text, const std::string& line) {
  expect_refused([&] { LossOptions(find_loss(loss), text); }, line);
}

// --- the table ---

TEST(LossTable, finds_each_loss_by_its_name_and_lists_them_all_for_another) {
  std::string names;
  for (const LossInfo& info : loss_table()) {
    EXPECT_EQ(&find_loss(info.name), &info);
    names += (names.empty() ? "" : ", ") + std::string(info.name);
  }
  for (const auto& [wrong, meant] : std::map<std::string, std::string>{
           {"mnrl", "mnr"}, {"MNR", "mnr"}, {"cosine ", "cosine"}, {"", ""}, {"perceptron", ""}}) {
    expect_refused([&, wrong = wrong] { find_loss(wrong); },
                   "loss: \"" + wrong + "\" found, one of " + names + " expected" +
                       (meant.empty() ? "" : "; did you mean " + meant + "?"));
  }
}

TEST(LossTable, gives_every_option_the_name_of_its_loss_and_a_default_value_it_takes) {
  for (const LossInfo& info : loss_table()) {
    for (const config::OptionInfo& option : info.options) {
      EXPECT_EQ(std::string(option.key), std::string(info.name) + "." + std::string(option.name()));
      EXPECT_NE(std::string(option.help), "") << option.key;
      EXPECT_NE(std::string(option.range), "") << option.key;
      if (*option.default_value == '\0') continue;
      const LossOptions given(info, std::string(option.name()) + "=" + option.default_value);
      EXPECT_TRUE(given.given(option.name())) << option.key;
      EXPECT_EQ(given.text(), "") << option.key;
    }
  }
}

TEST(LossTable, as_json_names_every_loss_and_option) {
  const auto all = nlohmann::json::parse(loss_table_json());
  ASSERT_EQ(all.size(), loss_table().size());
  for (size_t i = 0; i < all.size(); ++i) {
    const LossInfo& info = loss_table()[i];
    EXPECT_EQ(all[i].at("name"), info.name);
    EXPECT_EQ(all[i].at("columns"), info.columns());
    EXPECT_EQ(all[i].at("use"), info.use);
    EXPECT_EQ(all[i].at("formula"), info.formula);
    EXPECT_EQ(all[i].at("source"), info.source);
    EXPECT_EQ(all[i].at("in_batch_negatives"), info.in_batch);
    const auto& options = all[i].at("options");
    ASSERT_EQ(options.size(), info.options.size()) << info.name;
    for (size_t k = 0; k < options.size(); ++k) {
      EXPECT_EQ(options[k].at("name"), info.options[k].name());
      EXPECT_EQ(options[k].at("default"), info.options[k].default_value);
      EXPECT_EQ(options[k].at("range"), info.options[k].range);
      EXPECT_EQ(options[k].at("help"), info.options[k].help);
    }
  }
}

TEST(LossTable, says_which_columns_a_loss_wants) {
  EXPECT_EQ(find_loss("cosine").columns(), "sentence1, sentence2, score");
  EXPECT_EQ(find_loss("mnr").columns(), "anchor, positive, [negative...]");
  EXPECT_EQ(find_loss("triplet").columns(), "anchor, positive, negative");
  EXPECT_EQ(find_loss("mse").columns(), "text..., vector");
  EXPECT_EQ(find_loss("kl").columns(), "anchor, positive, negative..., scores");
}

// --- options as typed ---

TEST(LossOptions, not_given_are_default) {
  const LossOptions mnr(find_loss("mnr"), "");
  EXPECT_EQ(mnr.real("scale"), 20);
  EXPECT_EQ(mnr.word("similarity"), "cosine");
  EXPECT_FALSE(mnr.flag("symmetric"));
  EXPECT_FALSE(mnr.given("scale"));
  EXPECT_TRUE(mnr.list("matryoshka").empty());
  EXPECT_EQ(LossOptions(find_loss("softmax"), "").integer("classes"), 0);
}

TEST(LossOptions, are_read_by_type) {
  const LossOptions mnr(find_loss("mnr"),
                        "matryoshka=384+128+1e1,scale=0.5,similarity=dot,symmetric=true,mask=none");
  EXPECT_EQ(mnr.real("scale"), 0.5);
  EXPECT_EQ(mnr.word("similarity"), "dot");
  EXPECT_EQ(mnr.word("mask"), "none");
  EXPECT_TRUE(mnr.flag("symmetric"));
  EXPECT_TRUE(mnr.given("symmetric"));
  EXPECT_FALSE(mnr.given("partition"));
  EXPECT_EQ(mnr.list("matryoshka"), (std::vector<double>{384, 128, 10}));
  EXPECT_EQ(LossOptions(find_loss("softmax"), "classes=7").integer("classes"), 7);
  EXPECT_EQ(LossOptions(find_loss("triplet"), "margin=0").real("margin"), 0);
}

TEST(LossOptions, are_known_by_what_differs_from_the_default_in_the_order_of_the_table) {
  const LossInfo& mnr = find_loss("mnr");
  EXPECT_EQ(LossOptions(mnr, "mask=none,similarity=dot,scale=20").text(), "similarity=dot,mask=none");
  EXPECT_EQ(LossOptions(mnr, "similarity=dot,mask=none").text(), "similarity=dot,mask=none");
  for (const LossCase& c : loss_cases()) {
    const LossInfo& info = find_loss(c.loss);
    const std::string text = LossOptions(info, c.options).text();
    EXPECT_EQ(LossOptions(info, text).text(), text) << c.options;
  }
}

TEST(LossOptions, are_refused_piece_by_piece) {
  refused("cosent", "scale", "loss-options: \"scale\" found, name=value expected");
  refused("cosent", ",", "loss-options: \"\" found, name=value expected");
  refused("cosent", "scale=1,", "loss-options: \"\" found, name=value expected");
  refused("cosent", "scale=1,,matryoshka=2", "loss-options: \"\" found, name=value expected");
  refused("cosent", ",scale=1", "loss-options: \"\" found, name=value expected");
  refused("cosent", "scale=1,scale=1", "loss-options: scale is there twice");
  refused("cosent", "=1",
          "loss-options: \"\" is no option of the loss cosent, which has scale, matryoshka, "
          "matryoshka_weights, matryoshka_per_batch");
  refused("cosent", "Scale=1",
          "loss-options: \"Scale\" is no option of the loss cosent, which has scale, matryoshka, "
          "matryoshka_weights, matryoshka_per_batch; did you mean scale?");
  refused("cosent", "scale=1, matryoshka=2",
          "loss-options: \" matryoshka\" is no option of the loss cosent, which has scale, matryoshka, "
          "matryoshka_weights, matryoshka_per_batch; did you mean matryoshka?");
  refused("cosent", "scale=1=2", "loss-options: scale: \"1=2\" found, a number expected");
  refused("kl", "temperature=", "loss-options: temperature: \"\" found, a number expected");
  refused("softmax", "classes=2.5", "loss-options: classes: \"2.5\" found, a whole number expected");
}

TEST(LossOptions, of_another_loss_are_refused) {
  for (const LossInfo& info : loss_table()) {
    std::string names;
    for (const config::OptionInfo& o : info.options)
      names += (names.empty() ? "" : ", ") + std::string(o.name());
    for (const LossInfo& other : loss_table()) {
      for (const config::OptionInfo& option : other.options) {
        const std::string name(option.name());
        const bool shared = std::any_of(info.options.begin(), info.options.end(),
                                        [&](const config::OptionInfo& o) { return o.name() == name; });
        if (!shared) {
          refused(info.name, name + "=1",
                  "loss-options: \"" + name + "\" is no option of the loss " + info.name + ", which has " +
                      names);
        }
      }
    }
  }
}

// A value that no option of its kind takes, and just beyond each end of its range.
TEST(LossOptions, with_wrong_values_are_refused_by_every_loss) {
  for (const LossInfo& info : loss_table()) {
    for (const config::OptionInfo& option : info.options) {
      SCOPED_TRACE(option.key);
      const std::string name(option.name()), begin = "loss-options: " + name + ": ";
      const auto wrong = [&](const std::string& value, const std::string& expected) {
        refused(info.name, name + "=" + value, begin + "\"" + value + "\" found, " + expected + " expected");
      };
      const bool list = option.type == config::Type::text && *option.choices == '\0';
      if (list && *option.default_value != '\0')
        continue;  // a list of words: checked with what they make (below)
      if (list) {
        for (const char* value : {"x", "", "8+", "+8", "8++4", "8+x", "-8", "nan", "inf", "8 4", "1e10"})
          refused(info.name, name + "=" + value,
                  begin + "\"" + value + "\" found, numbers joined by + expected, as 384+128");
        continue;
      }
      switch (option.type) {
        case config::Type::text:
          for (const char* value : {"x", "", "|", "cosine|dot"}) wrong(value, option.range);
          break;
        case config::Type::boolean:
          for (const char* value : {"1", "", "True", "yes"}) wrong(value, option.range);
          break;
        case config::Type::integer:
          wrong("x", "a whole number");
          wrong(std::to_string(static_cast<int64_t>(option.low) - 1), option.range);
          wrong(std::to_string(static_cast<int64_t>(option.high) + 1), option.range);
          wrong("99999999999999999999", option.range);
          break;
        case config::Type::real:
          wrong("x", "a number");
          wrong("nan", "a finite number");
          wrong("inf", "a finite number");
          wrong("1e999", "a number that fits into a double");
          wrong("-0.001", option.range);
          if (option.above_low) wrong("0", option.range);
          break;
      }
    }
  }
}

// --- options and what is known of model and data ---

std::unique_ptr<Loss> made(const std::string& loss, const std::string& text, int64_t dim = 8,
                           int64_t teacher_width = 8) {
  const LossInfo& info = find_loss(loss);
  return make_loss(info, LossOptions(info, text), {dim, 3, teacher_width, 0});
}
void not_made(const std::string& loss, const std::string& text, const std::string& line) {
  expect_refused([&] { made(loss, text); }, line);
}

TEST(MakeLoss, refuses_directions_that_are_none) {
  const std::string expected = " found, qd and any of qq, dq and dd, each once and joined by +, expected";
  for (const std::string wrong : {"qd+qd", "qd+", "+qd", "qdq", "dq+qd+dq", "QD"})
    not_made("mnr", "directions=" + wrong, "loss-options: directions: \"" + wrong + "\"" + expected);
  not_made("mnr", "directions=", "loss-options: directions: qd must be among them: it holds the positives");
  not_made("mnr", "directions=dq", "loss-options: directions: qd must be among them: it holds the positives");
}

TEST(MakeLoss, refuses_a_softmax_for_directions_that_hold_no_positive) {
  for (const char* directions : {"qd+qq", "qd+dd", "qd+dq+dd", "qd+qq+dq+dd"})
    not_made(
        "mnr", std::string("partition=per_direction,directions=") + directions,
        "loss-options: partition: per_direction found with qq or dd, which hold no positive; joint expected");
  EXPECT_NE(made("mnr", "partition=per_direction,directions=qd+dq"), nullptr);
}

TEST(MakeLoss, refuses_hardness_without_strength_and_strength_without_hardness) {
  for (const char* text : {"hardness=hard_negatives", "hardness=hard_negatives,hardness_strength=0"})
    not_made(
        "mnr", text,
        "loss-options: hardness: hard_negatives found with a hardness_strength of 0, one above 0 expected");
  for (const char* text : {"hardness_strength=2.5", "hardness=none,hardness_strength=2.5"})
    not_made("mnr", text, "loss-options: hardness_strength: 2.5 found without hardness");
  EXPECT_NE(made("mnr", "hardness=none,hardness_strength=0"), nullptr);
}

TEST(MakeLoss, refuses_a_temperature_that_divides_nothing) {
  for (const char* text : {"temperature=2,student_temperature=0.5,teacher_temperature=3",
                           "teacher_temperature=2,student_temperature=2,temperature=2"})
    not_made(
        "kl", text,
        "loss-options: temperature: 2 found with student_temperature and teacher_temperature, two of the "
        "three at most expected");
  for (const char* text : {"temperature=2,student_temperature=2", "temperature=2,teacher_temperature=0.5",
                           "student_temperature=1e-3,teacher_temperature=1e3"})
    EXPECT_NE(made("kl", text), nullptr) << text;
}

TEST(MakeLoss, refuses_symmetric_with_what_it_stands_for) {
  for (const char* more : {"directions=qd", "directions=qd+dq", "partition=joint", "partition=per_direction"})
    not_made("mnr", std::string("symmetric=true,") + more,
             "loss-options: symmetric is a choice of directions and partition: give one or the other");
  EXPECT_NE(made("mnr", "symmetric=false,directions=qd+dd"), nullptr);
}

TEST(MakeLoss, refuses_first_numbers_that_vectors_have_not_or_weights_without_them) {
  for (const LossInfo& info : loss_table()) {
    if (info.labels == Labels::classes) continue;  // has a layer of one width, and no such option
    SCOPED_TRACE(info.name);
    const std::string expected = " found, whole numbers from 1 to 8 expected";
    not_made(info.name, "matryoshka=9", "loss-options: matryoshka: 9" + expected);
    not_made(info.name, "matryoshka=8+0", "loss-options: matryoshka: 0" + expected);
    not_made(info.name, "matryoshka=8+2.5", "loss-options: matryoshka: 2.5" + expected);
    not_made(info.name, "matryoshka=8+1000000000", "loss-options: matryoshka: 1e+09" + expected);
    not_made(info.name, "matryoshka=4+8+4",
             "loss-options: matryoshka: 4 found twice, each width once expected");
    not_made(info.name, "matryoshka_weights=1", "loss-options: matryoshka_weights found without matryoshka");
    not_made(info.name, "matryoshka=8+4,matryoshka_weights=1",
             "loss-options: matryoshka_weights: 1 numbers found, 2 expected, one for each of matryoshka");
    not_made(info.name, "matryoshka=8,matryoshka_weights=1+1",
             "loss-options: matryoshka_weights: 2 numbers found, 1 expected, one for each of matryoshka");
    not_made(info.name, "matryoshka_per_batch=1",
             "loss-options: matryoshka_per_batch found without matryoshka");
    not_made(info.name, "matryoshka=8+4,matryoshka_per_batch=3",
             "loss-options: matryoshka_per_batch: 3 found, 0 to 2 expected, the count of matryoshka");
    EXPECT_NE(made(info.name, "matryoshka=8+1,matryoshka_weights=0.5+0,matryoshka_per_batch=2"), nullptr);
  }
}

TEST(MakeLoss, wants_a_layer_between_vectors_of_two_widths_and_then_no_cut_ones) {
  expect_refused([] { made("mse", "", 8, 5); },
                 "loss mse: the teacher's vectors have 5 numbers, the model's 8; --loss-options "
                 "projection=true trains a layer between them");
  not_made("mse", "projection=true,matryoshka=4",
           "loss-options: matryoshka: the loss has a layer of one width (projection); one or the other");
  EXPECT_TRUE(made("mse", "")->heads().empty());
  EXPECT_EQ(made("mse", "projection=true", 8, 5)->heads().size(), 2U);
}

TEST(MakeLoss, compares_more_than_queries_with_documents_where_directions_say_so) {
  for (const LossInfo& info : loss_table()) EXPECT_FALSE(made(info.name, "")->compares_all()) << info.name;
  EXPECT_FALSE(made("mnr", "matryoshka=4")->compares_all());
  for (const char* text : {"directions=qd+qq", "directions=qd+dq", "directions=qd+dd", "symmetric=true",
                           "symmetric=true,matryoshka=4"})
    EXPECT_TRUE(made("mnr", text)->compares_all()) << text;
}

// --- heads ---

TEST(Heads, begin_uniform_within_one_over_the_root_of_the_inputs_by_their_seed) {
  const auto heads = [](uint64_t seed) {
    const LossInfo& info = find_loss("softmax");
    return make_loss(info, LossOptions(info, ""), {100, 7, 0, seed})->heads();
  };
  const std::vector<Head> first = heads(1), again = heads(1);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[0].name, "head.weight");
  EXPECT_EQ(first[1].name, "head.bias");
  EXPECT_TRUE(first[0].decays);
  EXPECT_FALSE(first[1].decays);
  EXPECT_EQ(first[0].shape.rows, 7);
  EXPECT_EQ(first[0].shape.cols, 300);
  EXPECT_EQ(first[1].shape.rows * first[1].shape.cols, 7);
  const double bound = 1 / std::sqrt(300.0);
  double sum = 0, square = 0;
  for (float v : first[0].values) {
    EXPECT_LE(std::abs(static_cast<double>(v)), bound);
    sum += static_cast<double>(v) / bound;
    square += static_cast<double>(v) * static_cast<double>(v) / (bound * bound);
  }
  // 2100 uniform draws: a mean of 0 and a mean square of 1/3, each within four standard deviations.
  EXPECT_NEAR(sum / 2100, 0, 4 * std::sqrt(1.0 / 3 / 2100));
  EXPECT_NEAR(square / 2100, 1.0 / 3, 4 * std::sqrt(4.0 / 45 / 2100));
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(first[i].values, again[i].values);
    for (uint64_t other : {uint64_t{2}, 1 + (uint64_t{1} << 32)})
      EXPECT_NE(first[i].values, heads(other)[i].values);
    EXPECT_EQ(first[i].gradient.size(), first[i].values.size());
  }
}

}  // namespace
}  // namespace hone::loss
