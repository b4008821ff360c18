#include "proto/close_code.h"

namespace trestle {

std::string_view reason_of(CloseCode code) {
  switch (code) {
    case CloseCode::normal: return "done";
    case CloseCode::going_away: return "draining, come back";
    case CloseCode::message_too_big: return "message too big";
    case CloseCode::internal_error: return "internal error";
    case CloseCode::bad_request: return "binary frame or bad query value";
    case CloseCode::unauthorized: return "no valid token";
    case CloseCode::forbidden: return "not allowed here";
    case CloseCode::too_slow: return "too slow";
    case CloseCode::token_expired: return "token expired";
    case CloseCode::too_many: return "too many connections or requests";
  }
  return "unknown";
}

}  // namespace trestle
