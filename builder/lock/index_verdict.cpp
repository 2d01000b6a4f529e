#include "builder/lock/index_verdict.h"

namespace weir::builder {

std::string_view name_of(IndexCheck check) {
  switch (check) {
    case IndexCheck::checked:
      return "checked";
    case IndexCheck::remembered:
      return "remembered";
    case IndexCheck::absent:
      break;
  }
  return "absent";
}

}  // namespace weir::builder
