#include "builder/mirror/edge/connections.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "builder/mirror/apt_auth.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/process.h"

namespace weir::builder {
namespace {

constexpr ByteCount kMaxAuthFile{1ULL << 20};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// NAME='VALUE' of `apt-config shell`. Names that apt gives to files hold no quotes.
std::string shell_value(std::string_view output, std::string_view name) {
  const std::string begin = std::string(name) + "='";
  const auto at = output.find(begin);
  if (at == std::string_view::npos) return {};
  output.remove_prefix(at + begin.size());
  return std::string(output.substr(0, std::min(output.find('\''), output.size())));
}

Result<std::string> ask_apt(const std::vector<std::string>& arguments) {
  Program apt;
  TRY_ASSIGN(apt.path, find_program("apt-config"));
  apt.arguments = arguments;
  apt.environment = apt_environment();
  TRY_ASSIGN(auto child, run(apt, "", {std::chrono::seconds(30)}));
  TRY(require_success(apt, child.status, child.error));
  return std::move(child.output);
}

// Those that apt reads: *.conf, by name.
std::vector<std::string> login_files(const std::string& folder) {
  std::vector<std::string> out;
  std::error_code none;
  for (const auto& each : std::filesystem::directory_iterator(folder, none)) {
    const std::string name = each.path().filename().string();
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::strchr("._-", c) != nullptr;
    });
    if (plain && !name.starts_with('.') && name.ends_with(".conf")) {
      out.push_back(each.path().string());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

void set_text(CURL* easy, CURLoption option, std::string_view text) {
  if (!text.empty()) curl_easy_setopt(easy, option, std::string(text).c_str());
}

}  // namespace

std::vector<std::string> apt_environment() {
  std::vector<std::string> out = {kProgramPath, "LC_ALL=C"};
  if (const auto own = variable("APT_CONFIG"); !own.empty()) out.push_back("APT_CONFIG=" + own);
  return out;
}

Result<Connections> Connections::read() {
  Connections out;
  const auto dump = ask_apt({"dump", "--format", "%F=%V%n"});
  if (!dump && dump.error().code == Errc::not_found) return out;
  TRY(dump);
  out.settings_ = AptSettings::parse(*dump);
  TRY_ASSIGN(const auto paths,
             ask_apt({"shell", "FILE", "Dir::Etc::netrc/f", "PARTS", "Dir::Etc::netrcparts/d"}));
  std::vector<std::string> files = login_files(shell_value(paths, "PARTS"));
  files.insert(files.begin(), shell_value(paths, "FILE"));
  for (const auto& file : files) {
    auto text = read_file(file, kMaxAuthFile);
    if (!text) continue;
    out.auth_files_.emplace_back(text->begin(), text->end());
    explicit_bzero(text->data(), text->size());
  }
  return out;
}

void Connections::add(Address address) {
  with_login_.push_back(std::move(address));
}

std::optional<Login> Connections::login_of(const Address& address) const {
  if (address.login) return address.login;
  const Address* best = nullptr;
  for (const auto& known : with_login_) {
    const bool below = address.path.starts_with(known.path) &&
                       (address.path.size() == known.path.size() || known.path.ends_with('/') ||
                        known.path.empty() || address.path[known.path.size()] == '/');
    const bool same = known.scheme == address.scheme && known.host == address.host &&
                      known.port == address.port && below;
    if (same && (best == nullptr || best->path.size() < known.path.size())) best = &known;
  }
  if (best != nullptr) return best->login;
  for (const auto& file : auth_files_) {
    const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
    if (auto login = find_login(text, address)) return login;
  }
  return std::nullopt;
}

// Asked once a site, as apt asks it.
Result<std::string> Connections::detect_proxy(const Address& address) const {
  std::string_view command = settings_.of_all(address, "Proxy-Auto-Detect");
  if (command.empty()) command = settings_.of_all(address, "ProxyAutoDetect");
  if (command.empty() || !settings_.of_host(address, "Proxy").empty()) return "";
  Address site = address;
  site.login.reset();
  const std::string key = site.scheme + "://" + site.host + ":" + std::to_string(site.port);
  if (const auto known = detected_.find(key); known != detected_.end()) return known->second;
  Program program;
  TRY_ASSIGN(program.path, find_program(std::string(command)));
  program.arguments = {print(site)};
  program.environment = our_environment();
  TRY_ASSIGN(const auto child, run(program, "", {std::chrono::seconds(30)}));
  TRY(require_success(program, child.status, child.error));
  std::string_view said = child.output;
  said = said.substr(0, said.find('\n'));
  said.remove_prefix(std::min(said.find_first_not_of(" \t\r"), said.size()));
  said = said.substr(0, std::min(said.find_first_of(" \t\r"), said.size()));
  return detected_.emplace(key, said).first->second;
}

Result<std::optional<UsedProxy>> Connections::apply_proxy(void* easy,
                                                          const Address& address) const {
  auto detected = detect_proxy(address);
  if (!detected) {
    // A program that is not there says nothing of the file that is asked for.
    detected.error().code = Errc::io;
    return tl::unexpected(std::move(detected).error().in("Proxy-Auto-Detect"));
  }
  auto wanted = choose_proxy(settings_, address, *detected,
                             {variable("http_proxy"), variable("https_proxy")});
  if (!wanted) return std::nullopt;
  auto& [url, set_by] = *wanted;
  if (url.empty()) {
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    return std::nullopt;
  }
  if (url.find("://") == std::string::npos) url.insert(0, "http://");
  TRY_ASSIGN_IN(Address proxy, parse_address(url), "proxy (" + set_by + ")");
  constexpr std::array<std::string_view, 6> kSpoken = {"http",    "https",  "socks4",
                                                       "socks4a", "socks5", "socks5h"};
  if (std::find(kSpoken.begin(), kSpoken.end(), proxy.scheme) == kSpoken.end()) {
    return fail(Errc::invalid_input, "proxy " + print(proxy) + " (" + set_by + "): '" +
                                         proxy.scheme +
                                         "' is no proxy's protocol (http, https, socks5h)");
  }
  const auto login = login_of(proxy);
  // libcurl's own port for a proxy is 1080; apt's is the protocol's.
  if (proxy.port == 0)
    proxy.port = proxy.scheme == "https" ? 443 : proxy.scheme == "http" ? 80 : 1080;
  proxy.path.clear();
  curl_easy_setopt(easy, CURLOPT_PROXY, print(proxy).c_str());
  if (login) {
    curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, login->user.c_str());
    curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, login->password.c_str());
  }
  set_text(easy, CURLOPT_PROXY_CAINFO, settings_.of(proxy, "CAInfo"));
  return UsedProxy{proxy.host, "the proxy " + print(proxy) + " (" + set_by + ")"};
}

Result<std::optional<UsedProxy>> Connections::apply(void* easy, const Address& address) const {
  if (address.is_local()) {
    curl_easy_setopt(easy, CURLOPT_URL, ("file://" + address.path).c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "file");
    return std::nullopt;
  }
  curl_easy_setopt(easy, CURLOPT_URL, print(address).c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  if (const auto login = login_of(address)) {
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(easy, CURLOPT_USERNAME, login->user.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, login->password.c_str());
  } else {
    curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_OPTIONAL));
  }
  set_text(easy, CURLOPT_CAINFO, settings_.of(address, "CAInfo"));
  set_text(easy, CURLOPT_CRLFILE, settings_.of(address, "CRLFile"));
  set_text(easy, CURLOPT_SSLCERT, settings_.of(address, "SSLCert"));
  set_text(easy, CURLOPT_SSLKEY, settings_.of(address, "SSLKey"));
  return apply_proxy(easy, address);
}

}  // namespace weir::builder
