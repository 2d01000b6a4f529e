#include "keys/signing/edge/pkcs11_key.h"

#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "keys/signing/edge/key_files.h"
#include "keys/signing/edge/passphrase.h"
#include "manifests/base/edge/file.h"

namespace weir::keys {
namespace {

struct FreeUri {
  void operator()(P11KitUri* uri) const { p11_kit_uri_free(uri); }
};
using Uri = std::unique_ptr<P11KitUri, FreeUri>;

/// PKCS#11 modules, loaded and initialised for as long as it lives: the one a URI names, or all
/// that p11-kit is configured for.
class Modules {
 public:
  static Result<Modules> load(const char* path) {
    Modules out;
    if (path == nullptr) {
      out.all_ = p11_kit_modules_load_and_initialize(0);
      if (out.all_ == nullptr) return failed("p11-kit's modules");
      for (CK_FUNCTION_LIST** at = out.all_; *at != nullptr; ++at) out.list_.push_back(*at);
      return out;
    }
    // A module is opened by whoever loads it: never what could keep it waiting. Names without a
    // slash are p11-kit's own modules.
    if (std::string_view(path).find('/') != std::string_view::npos) {
      TRY_IN(open_file(path), "PKCS#11");
    }
    CK_FUNCTION_LIST* module = p11_kit_module_load(path, 0);
    if (module == nullptr) return failed(path);
    if (p11_kit_module_initialize(module) != CKR_OK) {
      p11_kit_module_release(module);
      return failed(path);
    }
    out.one_ = module;
    out.list_.push_back(module);
    return out;
  }
  Modules(Modules&& other) noexcept
      : all_(std::exchange(other.all_, nullptr)),
        one_(std::exchange(other.one_, nullptr)),
        list_(std::move(other.list_)) {}
  Modules& operator=(Modules&&) = delete;
  ~Modules() {
    if (all_ != nullptr) p11_kit_modules_finalize_and_release(all_);
    if (one_ == nullptr) return;
    p11_kit_module_finalize(one_);
    p11_kit_module_release(one_);
  }
  [[nodiscard]] const std::vector<CK_FUNCTION_LIST*>& list() const { return list_; }

 private:
  Modules() = default;
  static tl::unexpected<Error> failed(const std::string& what) {
    const char* why = p11_kit_message();
    return fail(Errc::io, "PKCS#11 module " + what + ": " + (why == nullptr ? "unusable" : why));
  }
  CK_FUNCTION_LIST** all_ = nullptr;
  CK_FUNCTION_LIST* one_ = nullptr;
  std::vector<CK_FUNCTION_LIST*> list_;
};

Status check(CK_RV status, const char* what, Errc code = Errc::io) {
  if (status == CKR_OK) return {};
  return fail(code, std::string("PKCS#11: ") + what + ": " + p11_kit_strerror(status));
}

struct Slot {
  CK_FUNCTION_LIST* module = nullptr;
  CK_SLOT_ID id = 0;
  CK_TOKEN_INFO token{};
};

/// Space-padded text of a token.
std::string padded(const CK_UTF8CHAR* text, std::size_t size) {
  std::string out(text, text + size);
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

Result<Slot> find_slot(const Modules& modules, const P11KitUri* uri) {
  std::vector<Slot> found;
  std::string seen;
  for (CK_FUNCTION_LIST* module : modules.list()) {
    CK_ULONG count = 0;
    if (module->C_GetSlotList(CK_TRUE, nullptr, &count) != CKR_OK) continue;
    std::vector<CK_SLOT_ID> slots(count);
    if (module->C_GetSlotList(CK_TRUE, slots.data(), &count) != CKR_OK) continue;
    slots.resize(std::min<std::size_t>(count, slots.size()));
    for (const CK_SLOT_ID id : slots) {
      Slot slot{module, id, {}};
      if (module->C_GetTokenInfo(id, &slot.token) != CKR_OK ||
          (slot.token.flags & CKF_TOKEN_INITIALIZED) == 0) {
        continue;
      }
      if (p11_kit_uri_match_token_info(uri, &slot.token) != 0) {
        found.push_back(slot);
      } else {
        seen += (seen.empty() ? "" : ", ") + padded(slot.token.label, sizeof slot.token.label);
      }
    }
  }
  if (found.empty()) {
    return fail(Errc::not_found, "PKCS#11: no token fits the URI (there are: " +
                                     (seen.empty() ? "none" : seen) + ")");
  }
  if (found.size() > 1) {
    return fail(Errc::exhausted, "PKCS#11: " + std::to_string(found.size()) +
                                     " tokens fit the URI: name one with token= or serial=");
  }
  return found.front();
}

Result<Secret> read_pin(P11KitUri* uri, const std::string& token) {
  if (const char* value = p11_kit_uri_get_pin_value(uri)) return Secret::copy_of(as_bytes(value));
  if (const char* source = p11_kit_uri_get_pin_source(uri)) {
    std::string_view path = source;
    if (path.starts_with("file:")) path.remove_prefix(5);
    TRY_ASSIGN_IN(Secret pin, read_guarded_secret(std::string(path)), "pin-source");
    std::size_t size = pin.size();
    while (size > 0 && (pin.bytes()[size - 1] == '\n' || pin.bytes()[size - 1] == '\r')) --size;
    pin.shrink(size);
    return pin;
  }
  return ask_passphrase("PIN of token " + token, Asking::known);
}

}  // namespace

struct Pkcs11Key::Session {
  Modules modules;
  Slot slot;
  CK_SESSION_HANDLE handle = 0;
  bool open = false;
  CK_OBJECT_HANDLE key = 0;
  SigningPublicKey public_key;

  explicit Session(Modules loaded) : modules(std::move(loaded)) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    if (open) slot.module->C_CloseSession(handle);
  }

  Status start(P11KitUri* uri) {
    TRY_ASSIGN(slot, find_slot(modules, uri));
    const std::string label = padded(slot.token.label, sizeof slot.token.label);
    TRY(check(slot.module->C_OpenSession(slot.id, CKF_SERIAL_SESSION, nullptr, nullptr, &handle),
              "open a session"));
    open = true;
    if ((slot.token.flags & CKF_LOGIN_REQUIRED) == 0) return {};
    // A reader with a keypad asks by itself.
    if ((slot.token.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0) {
      return check(slot.module->C_Login(handle, CKU_USER, nullptr, 0), "log in",
                   Errc::unauthorized);
    }
    TRY_ASSIGN(Secret pin, read_pin(uri, label));
    const CK_RV status = slot.module->C_Login(handle, CKU_USER, pin.writable().data(), pin.size());
    if (status == CKR_USER_ALREADY_LOGGED_IN) return {};
    return check(status, ("log in to token " + label).c_str(), Errc::unauthorized);
  }

  Result<std::vector<CK_OBJECT_HANDLE>> find(std::vector<CK_ATTRIBUTE> wanted) {
    TRY(check(slot.module->C_FindObjectsInit(handle, wanted.data(), wanted.size()),
              "look for the key"));
    std::array<CK_OBJECT_HANDLE, 8> found{};
    CK_ULONG count = 0;
    const CK_RV status = slot.module->C_FindObjects(handle, found.data(), found.size(), &count);
    slot.module->C_FindObjectsFinal(handle);
    TRY(check(status, "look for the key"));
    return std::vector<CK_OBJECT_HANDLE>(found.begin(), found.begin() + count);
  }

  Result<std::string> attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
    std::array<char, 256> value{};
    CK_ATTRIBUTE wanted{type, value.data(), value.size()};
    TRY(check(slot.module->C_GetAttributeValue(handle, object, &wanted, 1), "read the key's data"));
    return std::string(value.data(), std::min<std::size_t>(wanted.ulValueLen, value.size()));
  }

  Status find_key(P11KitUri* uri) {
    CK_ULONG given_count = 0;
    const CK_ATTRIBUTE* given = p11_kit_uri_get_attributes(uri, &given_count);
    CK_OBJECT_CLASS kind = CKO_PRIVATE_KEY, public_kind = CKO_PUBLIC_KEY;
    CK_KEY_TYPE type = CKK_EC_EDWARDS;
    std::vector<CK_ATTRIBUTE> wanted{{CKA_CLASS, &kind, sizeof kind},
                                     {CKA_KEY_TYPE, &type, sizeof type}};
    for (CK_ULONG i = 0; i < given_count; ++i) {
      if (given[i].type != CKA_CLASS) wanted.push_back(given[i]);
    }
    TRY_ASSIGN(const auto keys, find(wanted));
    if (keys.empty()) {
      return fail(Errc::not_found,
                  "PKCS#11: the token has no private Ed25519 key (CKK_EC_EDWARDS) that fits the "
                  "URI: look with `pkcs11-tool --list-objects`");
    }
    if (keys.size() > 1) {
      return fail(Errc::exhausted,
                  "PKCS#11: several keys fit the URI: name one with object= or id=");
    }
    key = keys.front();
    TRY_ASSIGN(std::string id, attribute(key, CKA_ID));
    wanted = {{CKA_CLASS, &public_kind, sizeof public_kind},
              {CKA_KEY_TYPE, &type, sizeof type},
              {CKA_ID, id.data(), id.size()}};
    TRY_ASSIGN(const auto public_keys, find(wanted));
    if (public_keys.size() != 1) {
      return fail(Errc::not_found,
                  "PKCS#11: the token has no single public key with the private key's id");
    }
    TRY_ASSIGN(std::string point, attribute(public_keys.front(), CKA_EC_POINT));
    // PKCS#11 3.0 wants the 32 bytes in a DER OCTET STRING, 3.1 allows them bare.
    if (point.size() == 34 && point.starts_with("\x04\x20")) point.erase(0, 2);
    if (point.size() != 32) {
      return fail(Errc::invalid_input, "PKCS#11: the key is not on the curve Ed25519");
    }
    std::copy(point.begin(), point.end(), public_key.key.begin());
    if (id.size() == public_key.id.size()) {
      std::copy(id.begin(), id.end(), public_key.id.begin());
    } else {
      const Digest digest = Digest::of(public_key.key);
      std::copy_n(digest.raw().begin(), public_key.id.size(), public_key.id.begin());
    }
    return {};
  }

  Result<Ed25519Signature> sign(Bytes bytes) {
    CK_MECHANISM pure{CKM_EDDSA, nullptr, 0};  // without parameters: Ed25519 of RFC 8032
    TRY(check(slot.module->C_SignInit(handle, &pure, key), "begin to sign (CKM_EDDSA)"));
    std::vector<CK_BYTE> message(bytes.begin(), bytes.end());
    Ed25519Signature out{};
    CK_ULONG size = out.size();
    TRY(check(slot.module->C_Sign(handle, message.data(), message.size(), out.data(), &size),
              "sign"));
    if (size != out.size()) {
      return fail(Errc::io, "PKCS#11: the token's signature has " + std::to_string(size) +
                                " bytes, and Ed25519's have 64");
    }
    return out;
  }
};

Pkcs11Key::Pkcs11Key(std::unique_ptr<Session> session) : session_(std::move(session)) {}
Pkcs11Key::Pkcs11Key(Pkcs11Key&&) noexcept = default;
Pkcs11Key& Pkcs11Key::operator=(Pkcs11Key&&) noexcept = default;
Pkcs11Key::~Pkcs11Key() = default;

namespace {

Result<Uri> parse_uri(const std::string& text) {
  Uri uri(p11_kit_uri_new());
  if (!uri) return fail(Errc::exhausted, "no memory for a PKCS#11 URI");
  // Never the text itself in an error: it may hold the PIN.
  if (p11_kit_uri_parse(text.c_str(), P11_KIT_URI_FOR_ANY, uri.get()) != P11_KIT_URI_OK ||
      p11_kit_uri_any_unrecognized(uri.get()) != 0) {
    return fail(Errc::invalid_input,
                "not a PKCS#11 URI: must be as pkcs11:token=NAME;object=KEY?module-path=FILE");
  }
  return uri;
}

}  // namespace

Status Pkcs11Key::check_uri(const std::string& text) {
  TRY_ASSIGN(const Uri uri, parse_uri(text));
  TRY_ASSIGN(const Modules modules, Modules::load(p11_kit_uri_get_module_path(uri.get())));
  TRY(find_slot(modules, uri.get()));
  return {};
}

Result<Pkcs11Key> Pkcs11Key::open(const std::string& text) {
  TRY_ASSIGN(const Uri uri, parse_uri(text));
  TRY_ASSIGN(Modules modules, Modules::load(p11_kit_uri_get_module_path(uri.get())));
  auto session = std::make_unique<Session>(std::move(modules));
  TRY(session->start(uri.get()));
  TRY(session->find_key(uri.get()));
  // The first signature is ours: a token that does something else must not sign releases.
  const std::string_view probe = "weir asks whether this key signs as Ed25519 does";
  Pkcs11Key out(std::move(session));
  TRY_ASSIGN(const std::string signature,
             sign_prehashed(out.signer(), prehash(as_bytes(probe)), "probe"));
  TRY_IN(verify(out.public_key(), as_bytes(probe), signature), "PKCS#11: the token's signatures");
  return out;
}

const SigningPublicKey& Pkcs11Key::public_key() const {
  return session_->public_key;
}

Signer Pkcs11Key::signer() const {
  return {session_->public_key.id,
          [session = session_.get()](Bytes bytes) { return session->sign(bytes); }};
}

}  // namespace weir::keys
