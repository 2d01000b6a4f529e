// weir-builder module, and what build does with compiled modules: plans, keys, and what the cache
// remembers. Nothing is compiled here; tests/vm/dkms.sh does that with Debian's own packages.
#include <doctest/doctest.h>

#include "builder/dkms/edge/compile_record.h"
#include "builder/dkms/recipe.h"
#include "builder/kernel/module_signing.h"
#include "tests/text.h"
#include "tests/unit/builder/release/build_fixture.h"

namespace weir::builder {
namespace {

using test::has;

// A lock that has module `made` compiled from made-dkms, and a cache that remembers that it was.
struct Compiled : Fixture {
  manifests::LockedModuleBuild build{
      {"made-dkms"},
      "linux-headers-" + std::string(test::kRelease),
      {{"linux-headers-" + std::string(test::kRelease), "9.9-1", "amd64", "pool/h.deb",
        ByteCount{1}, Digest::of(as_bytes("headers")), "demo", "asked for"},
       {"made-dkms", "1.0", "all", "pool/m.deb", ByteCount{1}, Digest::of(as_bytes("source")),
        "demo", "asked for"}}};

  Compiled() {
    module("made.ko", {"name=made", std::string("vermagic=") + test::kVermagic, "depends="}, {},
           {});
    module("other.ko", {"name=made", "vermagic=8.8 SMP ", "depends="}, {}, {});
    sign("made.ko", "operator");
    sign("other.ko", "stranger");
    module("made.ko", {"name=made", std::string("vermagic=") + test::kVermagic, "depends="}, {},
           {});
    module("other.ko", {"name=made", "vermagic=8.8 SMP ", "depends="}, {}, {});
    manifest.replace(manifest.find("modules: [one]"), 14,
                     "modules: [one, {name: made, dkms: made-dkms}]\nmodule_signer: operator.crt");
    lock_compiled("amd64");
    remember("made.ko", "made-dkms");
  }

  void lock_compiled(const std::string& architecture) {
    const auto at = manifest.find("architecture: ") + 14;
    manifest.replace(at, manifest.find('\n', at) - at, architecture);
    lock();
    auto document = *manifests::parse_lock(read("image.lock.json"));
    document.architecture = architecture;
    build.signer = base64_of(as_bytes(*read_signing_certificate(read("operator.crt"))));
    document.module_build = build;
    write("image.lock.json", manifests::print(document));
  }

  [[nodiscard]] Digest key() const { return compile_key(build, "amd64", "made-dkms"); }
  [[nodiscard]] std::string record() const { return "cache/compiled/" + key().hex(); }

  void remember(const std::string& file, const std::string& package) const {
    const std::string bytes = read(file);
    const auto cache = Cache::open_or_create(path() + "/cache");
    REQUIRE(cache.has_value());
    REQUIRE(write_compile_record(key(),
                                 {{"made",
                                   package,
                                   {"1.0", build.packages[1].digest, Digest::of(as_bytes("conf")),
                                    Digest::of(as_bytes(bytes))},
                                   images::content_of(bytes)}},
                                 *cache)
                .has_value());
  }

  [[nodiscard]] Outcome module_of(const std::string& more) const {
    return builder("module image.yaml --cache cache " + more + " 2>&1");
  }

  void refused_alike(const std::string& more, const std::string& says) const {
    for (const char* command : {"module image.yaml", "build image.yaml --key k.key --store s"}) {
      for (const char* plan : {"", " --plan"}) {
        const Outcome out =
            builder(std::string(command) + " --cache cache " + more + plan + " 2>&1");
        CAPTURE(std::string(command) + plan);
        CAPTURE(out.out);
        CHECK(WEXITSTATUS(out.status) == 1);
        CHECK(has(out.out, says));
      }
    }
  }
};

}  // namespace

TEST_CASE_FIXTURE(Compiled,
                  "a plan names the key that would sign compiled modules, and the run uses it") {
  const std::string plan = module_of("--plan --module-key operator.pem").out;
  CHECK(has(plan, "would compile nothing"));
  CHECK(has(plan, "sign   by CN = operator, with operator.pem"));
  refused_alike("",
                "module made is to be signed by CN = operator (module_signer), and was not yet");
  const Outcome made = module_of("--module-key operator.pem --out out");
  CHECK_MESSAGE(made.status == 0, made.out);
  sign("made.ko", "operator");
  CHECK(read("out/made.ko") == read("made.ko"));
  // From then on the cache has the signature.
  CHECK(has(module_of("--plan").out, "but no --module-key is given: what the cache has no"));
}

TEST_CASE_FIXTURE(Compiled,
                  "a key of modules is refused by plan and run alike, and the file is named") {
  run("openssl pkey -in operator.pem -pubout -out public.pem && "
      "openssl pkcs8 -topk8 -in operator.pem -passout pass:abc -out sealed.pem && "
      "cp operator.pem open.pem && chmod 644 open.pem && echo junk > junk.pem && "
      "chmod 600 junk.pem sealed.pem");
  for (const auto& [key, says] :
       {std::pair("operator.crt", "operator.crt: holds a certificate, and what signs is"),
        std::pair("public.pem", "public.pem: holds a public key, and what signs is"),
        std::pair("stranger.pem", "stranger.pem: is not the key of the certificate that the lock"),
        std::pair("junk.pem", "junk.pem: holds no private key in PEM"),
        std::pair("none.pem", "none.pem: No such file or directory"),
        std::pair("open.pem", "open.pem: ")}) {
    refused_alike(std::string("--module-key ") + key, says);
  }
  // Whose it is, only the passphrase tells.
  CHECK(module_of("--plan --module-key sealed.pem").status == 0);
}

TEST_CASE_FIXTURE(Compiled,
                  "what another machine has to compile is refused by plan and run alike") {
  const std::string here = test::output_of("uname -m");
  const std::string other = here == "aarch64\n" ? "amd64" : "arm64";
  lock_compiled(other);
  refused_alike("--module-key operator.pem",
                "modules for " + other + " are compiled by a compiler");
}

TEST_CASE_FIXTURE(Compiled,
                  "a record that is not what compiling made is not believed, and that is said") {
  const std::string good = read(record());
  const auto doubted = [&](const std::string& why) {
    const std::string plan = module_of("--plan").out;
    CAPTURE(plan);
    CHECK(has(plan, "would compile made-dkms"));
    CHECK(has(plan, key().hex() + " is not what compiling made-dkms made (" + why));
    CHECK(has(plan, ": it is compiled again"));
  };
  write(record(), R"({"modules":[]})");
  doubted("it names no module");
  write(record(), test::replaced(good, "\"1.0\"", "\"1.1\""));
  doubted("it was changed");
  write(record(), good.substr(0, good.size() / 2));
  doubted("");
  remember("made.ko", "other-dkms");
  doubted("made is of another package");
  remember("other.ko", "made-dkms");
  doubted("made is for another kernel, 8.8 SMP");
  write(record(), good);
  run("echo x > cache/blobs/sha256/" + Digest::of(as_bytes(read("made.ko"))).hex());
  doubted("");
}

TEST_CASE_FIXTURE(Compiled, "what a killed compilation left goes with the next run") {
  run("mkdir -p cache/compile.unfinished.AbCdEf/usr cache/rebuild.unfinished.AbCdEf && "
      "echo x > cache/compile.unfinished.AbCdEf/usr/x && mkdir cache/compile.unfinished.GhIjKl");
  // One that another process works in stays.
  const Outcome out = builder("module image.yaml --cache cache --module-key operator.pem",
                              "flock cache/compile.unfinished.GhIjKl");
  CHECK_MESSAGE(out.status == 0, out.out);
  CHECK_FALSE(fs::exists(path() + "/cache/compile.unfinished.AbCdEf"));
  CHECK_FALSE(fs::exists(path() + "/cache/rebuild.unfinished.AbCdEf"));
  CHECK(fs::exists(path() + "/cache/compile.unfinished.GhIjKl"));
}

}  // namespace weir::builder
