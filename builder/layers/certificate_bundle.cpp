#include "builder/layers/certificate_bundle.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

namespace weir::builder {
namespace {

using images::ImagePath;
using images::Node;

constexpr std::string_view kList = "etc/ca-certificates.conf",
                           kOfPackages = "usr/share/ca-certificates/",
                           kOfAdministrator = "usr/local/share/ca-certificates/",
                           kMade = "etc/ssl/certs/";

struct FreeCertificate {
  void operator()(X509* certificate) const { ::X509_free(certificate); }
};
using Certificate = std::unique_ptr<X509, FreeCertificate>;

// All of a file. Empty where one of them cannot be read: readers of a bundle stop there.
std::vector<Certificate> certificates_in(const std::string& text) {
  const std::unique_ptr<BIO, int (*)(BIO*)> bio(
      ::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &::BIO_free);
  std::vector<Certificate> out;
  while (bio) {
    ::ERR_clear_error();
    Certificate next(::PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr));
    if (!next) {
      const bool end = ERR_GET_REASON(::ERR_peek_last_error()) == PEM_R_NO_START_LINE;
      ::ERR_clear_error();
      if (!end) out.clear();
      break;
    }
    out.push_back(std::move(next));
  }
  return out;
}

using Fingerprint = std::array<unsigned char, EVP_MAX_MD_SIZE>;

Fingerprint fingerprint_of(const X509& certificate) {
  Fingerprint out{};
  unsigned size = 0;
  ::X509_digest(&certificate, ::EVP_sha256(), out.data(), &size);
  return out;
}

std::string subject_hash(X509& certificate) {
  std::array<char, 9> out{};
  std::snprintf(out.data(), out.size(), "%08lx", ::X509_subject_name_hash(&certificate));
  return out.data();
}

// "My CA (2)" of "usr/share/ca-certificates/My CA (2).crt", as a name in one folder.
std::string link_name(const std::string& path) {
  constexpr std::string_view kEnding = ".crt";
  std::string out = path.substr(path.rfind('/') + 1);
  out.resize(out.size() - kEnding.size());
  for (char& c : out) {
    if (c == ' ' || c == ',') c = '_';
    if (c == '(' || c == ')') c = '=';
  }
  return out + ".pem";
}

class Bundle {
 public:
  Bundle(const std::map<std::string, std::string>& files, const Overlay& below,
         const std::set<std::string>& decided, std::int64_t epoch)
      : files_(files), below_(below), decided_(decided), epoch_(epoch) {}

  MadePlaces make() {
    for (const std::string& path : trusted()) add(path);
    if (all_.empty()) return std::move(out_);
    put("ca-certificates.crt", Node{0644, 0, 0, epoch_, images::File{images::content_of(all_)}});
    add_hashes();
    for (auto& [path, node] : made_) out_.made.push_back({path, std::move(node)});
    return std::move(out_);
  }

 private:
  // Paths, in the order of the bundle.
  std::vector<std::string> trusted() {
    std::vector<std::string> out;
    const auto list = files_.find(std::string(kList));
    if (list == files_.end()) {
      append_all(kOfPackages, out);
    } else {
      append_listed(list->second, out);
    }
    append_all(kOfAdministrator, out);
    return out;
  }

  void append_all(std::string_view folder, std::vector<std::string>& out) const {
    for (const auto& [path, _] : files_) {
      if (path.starts_with(folder)) out.push_back(path);
    }
  }

  void append_listed(std::string_view list, std::vector<std::string>& out) {
    while (!list.empty()) {
      const auto end = std::min(list.find('\n'), list.size());
      const std::string_view line = list.substr(0, end);
      list.remove_prefix(std::min(end + 1, list.size()));
      if (line.empty() || line.front() == '#' || line.front() == '!') continue;
      std::string path = std::string(kOfPackages) + std::string(line);
      if (files_.contains(path)) {
        out.push_back(std::move(path));
      } else {
        out_.unmade.push_back("/" + std::string(kList) + ": no /" + path + " in the image");
      }
    }
  }

  void add(const std::string& path) {
    const std::string& text = files_.at(path);
    const auto found = certificates_in(text);
    if (found.empty()) {
      out_.unmade.push_back("/" + path + ": no certificate in it, or a damaged one");
      return;
    }
    all_ += text;
    if (!text.ends_with('\n')) all_ += '\n';
    // Of two of one name the later one's link stays.
    texts_[link_name(path)] = &text;
    put(link_name(path), Node{0777, 0, 0, epoch_, images::Symlink{"/" + path}});
  }

  // By a file's name; what holds several certificates has none.
  void add_hashes() {
    std::map<std::string, std::vector<Fingerprint>> seen;
    for (const auto& [name, text] : texts_) {
      const auto found = certificates_in(*text);
      if (found.size() != 1) continue;
      const std::string hash = subject_hash(*found.front());
      const Fingerprint fingerprint = fingerprint_of(*found.front());
      auto& others = seen[hash];
      if (std::find(others.begin(), others.end(), fingerprint) != others.end()) continue;
      put(hash + "." + std::to_string(others.size()),
          Node{0777, 0, 0, epoch_, images::Symlink{name}});
      others.push_back(fingerprint);
    }
  }

  void put(const std::string& name, Node node) {
    const auto path = ImagePath::parse(std::string(kMade) + name);
    if (!path || decided_.contains(path->string())) return;
    if (below_.find(path->string()) != nullptr) {
      out_.unmade.push_back("/" + path->string() + ": a package has something there");
      return;
    }
    made_.insert_or_assign(*path, std::move(node));
  }

  const std::map<std::string, std::string>& files_;
  const Overlay& below_;
  const std::set<std::string>& decided_;
  std::int64_t epoch_;
  std::string all_;
  std::map<std::string, const std::string*> texts_;  ///< by the link's name
  std::map<ImagePath, Node> made_;
  MadePlaces out_;
};

}  // namespace

MadePlaces certificate_bundle(const std::map<std::string, std::string>& files, const Overlay& below,
                              const std::set<std::string>& decided, std::int64_t epoch) {
  return Bundle(files, below, decided, epoch).make();
}

}  // namespace weir::builder
