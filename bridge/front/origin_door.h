#pragma once
#include "bridge/front/front_context.h"
#include "bridge/front/http_reader.h"

namespace trestle {

/// Whether the web page that made a browser send this request may have what is behind the listener. Browsers
/// name the page in the header Origin; who sends none is no browser, and may.
///
/// With a list, exactly the pages on it may. Without one, a token is enough: pages of others don't know it.
/// Where none was needed (`without_token`) only pages of the bridge's own address may, and only by an IP
/// address or localhost: a page could give its own name the bridge's address for a moment (DNS rebinding). A
/// bridge whose page is opened by another name has it on its list.
bool may_page_connect(const HttpRequest& request, const ListenerInfo& listener, bool without_token);

/// The same for a GET without a token. A browser that asks the page's own address names no Origin, so the
/// name it asked for has to do: the header Host is an IP address, localhost, or on the list.
bool may_page_ask(const HttpRequest& request, const ListenerInfo& listener);

}  // namespace trestle
