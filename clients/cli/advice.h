#pragma once

namespace trestle::cli {

/// What to do when the bridge says that there is no token, or no good one.
inline constexpr const char* kTokenAdvice =
    "give one with --token or in TRESTLE_TOKEN, or the whole address that the bridge printed on its first "
    "start: --url 'http://.../?token=...'; trestle token create, in the bridge's folder, makes another";

}  // namespace trestle::cli
