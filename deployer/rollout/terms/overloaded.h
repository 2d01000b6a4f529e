#pragma once

namespace weir::deployer {

/// One function out of several, for std::visit. An alternative that none of them takes does not
/// compile; so none of them may be generic.
template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;  // clang deduces it only when told

}  // namespace weir::deployer
