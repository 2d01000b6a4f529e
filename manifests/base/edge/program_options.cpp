#include "manifests/base/edge/program_options.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>
#include <sstream>

#include "manifests/base/closest_names.h"

namespace weir {
namespace {

namespace po = boost::program_options;
using Texts = std::vector<std::string>;

constexpr const char* kPositional = "what a command takes";
constexpr const char* kForPeople = "TEXT";

template <class T>
po::typed_value<T>* named(po::typed_value<T>* value, const Option& option) {
  return value->value_name(option.value);
}

po::typed_value<std::string>* with_default(po::typed_value<std::string>* value,
                                           const Option& option) {
  const std::string text = default_text(option);
  return text.empty() ? value : value->default_value(text);
}

// Boost's own reading of numbers takes "-1" for a large one.
std::optional<std::uint32_t> number_of(const std::string& text) {
  std::uint32_t out = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, out);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return out;
}

struct ToSemantic {
  const Option& option;

  const po::value_semantic* operator()(bool* target) const { return po::bool_switch(target); }
  const po::value_semantic* operator()(std::string* target) const {
    return with_default(named(po::value(target), option), option);
  }
  const po::value_semantic* operator()(std::uint32_t* target) const {
    return with_default(named(po::value<std::string>(), option), option)
        ->notifier([target](const std::string& text) { *target = *number_of(text); });
  }
  const po::value_semantic* operator()(Texts* target) const {
    return named(po::value(target), option)->composing();
  }
  const po::value_semantic* operator()(std::optional<Texts>* target) const {
    return named(po::value<Texts>(), option)
        ->zero_tokens()
        ->multitoken()
        ->composing()
        ->notifier([target](const Texts& texts) { *target = texts; });
  }
  const po::value_semantic* operator()(std::optional<std::string>* target) const {
    return named(po::value<std::string>(), option)->notifier([target](const std::string& text) {
      *target = text;
    });
  }
  const po::value_semantic* operator()(std::optional<std::uint32_t>* target) const {
    return named(po::value<std::string>(), option)->notifier([target](const std::string& text) {
      *target = *number_of(text);
    });
  }
};

po::options_description described(const Command& command) {
  po::options_description out("options");
  for (const Option& option : command.options) {
    out.add_options()(option.name.c_str(), std::visit(ToSemantic{option}, option.target),
                      option.help.c_str());
  }
  out.add_options()("help,h", "prints this");
  return out;
}

std::string shown(const Option& option) {
  return "--" + long_name(option) + (option.value.empty() ? "" : " " + option.value);
}

std::string unknown_option(const Command& command, const std::string& name) {
  std::vector<std::string> names = {"help"};
  for (const Option& option : command.options) names.push_back(long_name(option));
  std::string out = "there is no option " + name;
  const auto near = closest_names(std::string_view(name).substr(name.find_first_not_of('-')),
                                  std::vector<std::string_view>(names.begin(), names.end()));
  if (!near.empty()) out += "; closest: --" + near.front();
  return out;
}

Texts values_of(const Option& option, const po::variable_value& value) {
  const bool list = std::holds_alternative<Texts*>(option.target) ||
                    std::holds_alternative<std::optional<Texts>*>(option.target);
  return list ? value.as<Texts>() : Texts{value.as<std::string>()};
}

// Of what `--out "$UNSET"` leaves, a name or path would be made that nobody meant.
Status check_not_empty(const Option& option, const po::variable_value& value) {
  if (option.value.empty() || option.value == kForPeople) return {};
  const Texts texts = values_of(option, value);
  if (std::find(texts.begin(), texts.end(), "") == texts.end()) return {};
  return fail(Errc::invalid_input, shown(option) + " is empty: " + option.help);
}

// Before the targets are written to.
Status check_values(const Command& command, const po::variables_map& parsed) {
  for (const Option& option : command.options) {
    const std::string name = long_name(option);
    if (option.need == Need::required && parsed.count(name) == 0) {
      return fail(Errc::invalid_input, shown(option) + " is missing: " + option.help);
    }
    if (parsed.count(name) == 0) continue;
    TRY(check_not_empty(option, parsed[name]));
    const bool number = std::holds_alternative<std::uint32_t*>(option.target) ||
                        std::holds_alternative<std::optional<std::uint32_t>*>(option.target);
    if (number && !number_of(parsed[name].as<std::string>())) {
      return fail(Errc::invalid_input, "--" + name + ": '" + parsed[name].as<std::string>() +
                                           "' is not a number from 0 to 4294967295");
    }
    if (option.one_of.empty()) continue;
    const auto& value = parsed[name].as<std::string>();
    if (std::find(option.one_of.begin(), option.one_of.end(), value) != option.one_of.end()) {
      continue;
    }
    std::string all;
    for (const std::string& word : option.one_of) all += (all.empty() ? "" : ", ") + word;
    return fail(Errc::invalid_input,
                "--" + name + ": '" + value + "' is none of " + all +
                    suggestion(value, std::vector<std::string_view>(option.one_of.begin(),
                                                                    option.one_of.end())));
  }
  return {};
}

Status take_positional(const Positional& takes, const Texts& words) {
  const bool unsaid = std::find(words.begin(), words.end(), "") != words.end();
  if (words.size() < takes.least || unsaid) {
    return fail(Errc::invalid_input,
                "which " + takes.shown + "?" + (unsaid ? " (an argument is empty)" : ""));
  }
  if (auto* const* one = std::get_if<std::string*>(&takes.target)) {
    if (!words.empty()) **one = words.front();
  } else {
    *std::get<std::vector<std::string>*>(takes.target) = words;
  }
  return {};
}

Result<Asked> parse(const Command& command, const Texts& words) {
  const po::options_description options = described(command);
  po::options_description all;
  all.add(options);
  po::positional_options_description places;
  if (command.takes) {
    all.add_options()(kPositional, po::value<Texts>());
    places.add(kPositional,
               command.takes->most == kAnyNumber ? -1 : static_cast<int>(command.takes->most));
  }
  po::variables_map parsed;
  po::store(po::command_line_parser(words).options(all).positional(places).run(), parsed);
  if (parsed.count("help") != 0) return Asked::help;
  if (command.takes) {
    const bool any = parsed.count(kPositional) != 0;
    TRY(take_positional(*command.takes, any ? parsed[kPositional].as<Texts>() : Texts()));
  }
  TRY(check_values(command, parsed));
  po::notify(parsed);
  return Asked::run;
}

struct ToText {
  std::string operator()(const std::string* text) const { return *text; }
  std::string operator()(const std::uint32_t* number) const { return std::to_string(*number); }
  template <class T>
  std::string operator()(const T* /*no default*/) const {
    return "";
  }
};

}  // namespace

std::string long_name(const Option& option) {
  return option.name.substr(0, option.name.find(','));
}

std::string short_name(const Option& option) {
  const auto comma = option.name.find(',');
  return comma == std::string::npos ? "" : option.name.substr(comma + 1);
}

std::string default_text(const Option& option) {
  return std::visit(ToText{}, option.target);
}

std::string options_text(const Command& command) {
  std::ostringstream out;
  out << described(command);
  return std::move(out).str();
}

Result<Asked> parse_words(const Command& command, const Texts& words) {
  try {
    return parse(command, words);
  } catch (const po::unknown_option& error) {
    return fail(Errc::invalid_input, unknown_option(command, error.get_option_name()));
  } catch (const po::too_many_positional_options_error&) {
    return fail(Errc::invalid_input, "too many arguments");
  } catch (const po::error& error) {
    return fail(Errc::invalid_input, error.what());
  }
}

}  // namespace weir
