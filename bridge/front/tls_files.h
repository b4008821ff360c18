#pragma once
#include <optional>

#include "bridge/config/settings.h"
#include "proto/result.h"

struct ssl_ctx_st;

namespace trestle {

/// Puts certificate, chain and key of the settings' files into the context: all of them, or with an error
/// none. Errors name the place in the configuration, the file and the reason.
std::optional<Error> use_pair(ssl_ctx_st* ssl, const TlsSettings& settings);

/// Has the context trust those who are in `client_ca` to sign clients' certificates, or with an error nobody.
/// Nothing to do without such a file.
std::optional<Error> use_client_ca(ssl_ctx_st* ssl, const TlsSettings& settings);

}  // namespace trestle
