#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/x509.h>

#include <memory>

namespace weir::builder {

/// Whoever holds one of these lets go of it with the library's own function.
template <auto free>
struct FreeWith {
  template <class T>
  void operator()(T* pointer) const {
    free(pointer);
  }
};

using CmsMessage = std::unique_ptr<CMS_ContentInfo, FreeWith<CMS_ContentInfo_free>>;
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;
using Stream = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using Number = std::unique_ptr<BIGNUM, FreeWith<BN_free>>;

}  // namespace weir::builder
