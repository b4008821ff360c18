#pragma once

namespace trestle::cli {

/// What to do when the bridge says that there is no token, or no good one.
inline constexpr const char* kTokenAdvice =
    "give one with --token or in TRESTLE_TOKEN, or the whole address that the bridge printed on its first "
    "start: --url 'http://.../?token=...'; trestle token create, in the bridge's folder, makes another";

/// What to think when something answers as Trestle never would.
inline constexpr const char* kNoTrestle =
    "that is no Trestle, or its port for producers; clients use listen.port, 3001 unless told otherwise";

}  // namespace trestle::cli
