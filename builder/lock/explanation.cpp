#include "builder/lock/explanation.h"

#include <algorithm>

namespace weir::builder {
namespace {

std::string named(const NotTaken& one) {
  return one.package + " " + one.version + " (" + one.suite + ")";
}

void print_instead(const std::vector<NotTaken>& all, std::string& out) {
  for (const NotTaken& one : all) out += "      not " + named(one) + ": " + one.because + "\n";
}

}  // namespace

std::string print(const Explanation& why) {
  std::string out = why.package;
  if (why.unknown) return out + ": no suite has it, and nothing provides it" + why.hint + "\n";
  if (!why.provided_by.empty()) {
    out += " is no package, but a name that packages provide\n";
    for (const NotTaken& one : why.provided_by)
      out += "  " + named(one) + ": " + one.because + "\n";
  } else if (why.in_image) {
    out += " " + why.version + " (" + why.suite + ") is in the image\n";
    const std::string& first = why.way.empty() ? why.package : why.way.front().by;
    out += "  " + first + ": " + (why.root == "kernel" ? "the kernel" : why.root) + "\n";
    for (const PackageNeed& need : why.way) {
      out += "  " + need.by + " needs " + need.relation + "\n    " + need.taken + "\n";
      print_instead(need.instead_of, out);
    }
  } else if (why.stands_in) {
    out +=
        " is not in the image: `provides` of the manifest or of a reviewed list has it, so "
        "Weir stands in for it\n";
  } else {
    out += " is not in the image: ";
    out += why.could_satisfy.empty() ? "nothing in it needs it\n"
                                     : "what needs it, or something like it, has others\n";
  }
  for (const PackageNeed& need : why.could_satisfy) {
    out += "  " + need.by + " needs " + need.relation + "\n    " + need.taken + "\n";
    print_instead(need.instead_of, out);
  }
  if (!why.other_versions.empty()) out += "  other versions\n";
  for (const NotTaken& one : why.other_versions) {
    out += "    " + one.version + " (" + one.suite + "): " + one.because + "\n";
  }
  return out;
}

}  // namespace weir::builder
