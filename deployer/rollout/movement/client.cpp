#include "deployer/rollout/movement/client.h"

#include <array>
#include <type_traits>

namespace weir::deployer {
namespace {

constexpr std::array<std::string_view, std::variant_size_v<Stage>> kStages = {
    "waiting",   "granting",  "kicking",   "kicked",   "prepared",  "switching",
    "releasing", "switched",  "moved",     "revoking", "regarding", "forgetting",
    "unholding", "returning", "recalling", "stayed",   "doubted",   "adopting"};

}  // namespace

std::string_view name_of(const Stage& stage) {
  return kStages.at(stage.index());
}

Asking* asking(Stage& stage) {
  return std::visit(
      [](auto& it) -> Asking* {
        if constexpr (std::is_base_of_v<Asking, std::remove_reference_t<decltype(it)>>) {
          return &it;
        } else {
          return nullptr;
        }
      },
      stage);
}

const Asking* asking(const Stage& stage) {
  return asking(const_cast<Stage&>(stage));  // only looks
}

}  // namespace weir::deployer
