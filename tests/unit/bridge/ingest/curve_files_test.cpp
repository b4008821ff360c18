#include "bridge/ingest/curve_files.h"

#include <doctest/doctest.h>

#include "tests/unit/bridge/scratch_directory.h"

using namespace trestle;

namespace {

// The pair of ZeroMQ's own manual, and a public key of another.
const std::string kPublic = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
const std::string kSecret = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";
const std::string kOther = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";

std::string complaint(const std::string& text, unsigned mode = 0600) {
  const ScratchDirectory scratch;
  const auto path = scratch.write("a.key", text);
  std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
  const auto keys = load_key_pair(path);
  if (keys) return "none";
  const auto at = keys.error().message.find(path.string());
  REQUIRE(at == 0);
  return keys.error().message.substr(path.string().size());
}

}  // namespace

TEST_CASE("a key pair is for its owner and perhaps a group, whole, and belongs together") {
  const auto pair = "public: " + kPublic + "\nsecret: " + kSecret + "\n";
  CHECK(complaint(pair) == "none");
  CHECK(complaint(pair, 0400) == "none");
  CHECK(complaint(pair, 0640) == "none");
  for (const unsigned mode : {0644u, 0604u, 0660u, 0602u}) {
    CHECK(complaint(pair, mode).find(" is a secret that others can ") == 0);
  }
  CHECK(complaint("public: x") ==
        ":1: the public key is none (40 characters, as `trestle keygen` writes them)");
  CHECK(complaint("public: " + kPublic) ==
        " has a public key only: name the file with the secret key (`trestle keygen` makes both)");
  CHECK(complaint("public: " + kOther + "\nsecret: " + kSecret) ==
        " has two keys that do not belong together: make a new pair with `trestle keygen`");
  const auto missing = load_key_pair("/nowhere/a.key");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message.find("/nowhere/a.key") != std::string::npos);
}
