// hone losses
#include <iostream>

#include "command.h"
#include "loss/loss_table.h"

namespace hone::cli {

namespace {

void print(const loss::LossInfo& loss) {
  std::cout << loss.name << "\n  for      " << loss.use << "\n  columns  " << loss.columns()
            << "\n  formula  " << loss.formula << "\n  source   " << loss.source << '\n';
  for (const config::OptionInfo& o : loss.options) {
    std::cout << "  " << o.name() << '=' << (*o.default_value != '\0' ? o.default_value : o.value)
              << "\n           " << o.help << "; " << o.range << '\n';
  }
}

}  // namespace

int losses(int argc, char** argv) {
  Arguments arguments("losses",
                      "Lists the losses that train --loss takes: what each is for, the columns it\n"
                      "wants and its options, for --loss-options name=value,...",
                      {});
  arguments.add("", {Option{"json", nullptr, "Print the list as JSON"}});
  if (!arguments.parse(argc, argv)) return kOk;
  if (arguments.given("json")) {
    std::cout << loss::loss_table_json() << '\n';
    return kOk;
  }
  for (const loss::LossInfo& loss : loss::loss_table()) {
    if (&loss != loss::loss_table().data()) std::cout << '\n';
    print(loss);
  }
  return kOk;
}

}  // namespace hone::cli
