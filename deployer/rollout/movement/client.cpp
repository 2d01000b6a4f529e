#include "deployer/rollout/movement/client.h"

#include <type_traits>

#include "deployer/rollout/terms/overloaded.h"

namespace weir::deployer {
std::string_view name_of(const Stage& stage) {
  const auto name = Overloaded{
      [](const stage::Waiting&) { return "waiting"; },
      [](const stage::Granting&) { return "granting"; },
      [](const stage::Kicking&) { return "kicking"; },
      [](const stage::Kicked&) { return "kicked"; },
      [](const stage::Prepared&) { return "prepared"; },
      [](const stage::Switching&) { return "switching"; },
      [](const stage::Releasing&) { return "releasing"; },
      [](const stage::Switched&) { return "switched"; },
      [](const stage::Moved&) { return "moved"; },
      [](const stage::Revoking&) { return "revoking"; },
      [](const stage::Regarding&) { return "regarding"; },
      [](const stage::Forgetting&) { return "forgetting"; },
      [](const stage::Unholding&) { return "unholding"; },
      [](const stage::Returning&) { return "returning"; },
      [](const stage::Recalling&) { return "recalling"; },
      [](const stage::Stayed&) { return "stayed"; },
      [](const stage::Doubted&) { return "doubted"; },
      [](const stage::Adopting&) { return "adopting"; },
  };
  return std::visit(name, stage);
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
