// The token file and the file of revoked tokens, as somebody may have written them by hand; JWKS files, as an
// issuer publishes them; and scopes for a subject that an attacker chose. The first line says which.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "bridge/auth/jwks.h"
#include "bridge/auth/revocations.h"
#include "bridge/auth/token_file.h"
#include "bridge/core/rights.h"
#include "proto/topic.h"
#include "tests/fuzz/lines.h"
#include "tests/fuzz/must.h"

using namespace trestle;

namespace {

struct Scratch {
  ~Scratch() { ::unlink(path.c_str()); }
  const std::string path = "/dev/shm/trestle-fuzz-token-" + std::to_string(::getpid());
};

std::string in_memory(std::string_view content) {
  static const Scratch scratch;
  const auto& path = scratch.path;
  auto* file = std::fopen(path.c_str(), "wb");
  MUST(file != nullptr && std::fwrite(content.data(), 1, content.size(), file) == content.size());
  std::fclose(file);
  MUST(::chmod(path.c_str(), 0600) == 0);
  return path;
}

void must_be_line(const Error& error) {
  MUST(!error.message.empty() && error.message.find('\n') == std::string::npos);
}

void read_tokens(std::string_view text) {
  const auto path = in_memory(text);
  const auto records = load_token_file(path);
  if (!records) return must_be_line(records.error());
  MUST(save_token_file(path, *records));
  const auto again = load_token_file(path);
  MUST(again && again->size() == records->size());
  for (std::size_t i = 0; i < records->size(); ++i) {
    MUST((*again)[i].name == (*records)[i].name && (*again)[i].scopes == (*records)[i].scopes);
    MUST((*again)[i].sha256_hex == (*records)[i].sha256_hex && (*again)[i].expires == (*records)[i].expires);
  }
}

void read_revoked(std::string_view text) {
  const auto path = in_memory(text);
  const auto revoked = load_revocations(path);
  if (!revoked) return must_be_line(revoked.error());
  MUST(save_revocations(path, *revoked));
  const auto again = load_revocations(path);
  MUST(again && again->ids == revoked->ids && again->issued_before == revoked->issued_before);
}

void read_jwks(std::string_view text) {
  const auto keys = parse_jwks(text, false);
  if (!keys) return must_be_line(keys.error());
  for (const auto& key : *keys) MUST(!key.verifies("text", "signature") && !key.fingerprint().empty());
}

// One segment, wherever the subject would like to be.
void fill_in(std::string_view sub) {
  const auto rights = parse_scopes({"read:task.{sub}"}, sub);
  MUST(rights && rights->read.size() == (sub.empty() ? 0u : 1u));
  for (const auto& pattern : rights->read) {
    MUST(pattern.text() == "task." + escape_key(sub) && is_topic(pattern.text()));
    MUST(std::count(pattern.text().begin(), pattern.text().end(), '.') == 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto text = text_of(data, size);
  const auto kind = take_line(text);
  if (kind == "tokens") read_tokens(text);
  if (kind == "revoked") read_revoked(text);
  if (kind == "jwks") read_jwks(text);
  if (kind == "sub") fill_in(text);
  return 0;
}
