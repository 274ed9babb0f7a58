// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dialect/accessor.hpp"
#include "dialect/template.hpp"

// What people most likely meant where a template or a parameter reads what it should not: words for
// messages of Template and Parameter, nothing else.
namespace sub0::dialect {

/// The name that `word` was probably meant to be, or empty.
std::string nearestName(std::string_view word, const Names& names);

/// The same for a payload field, which may just be another one that nobody declared: only where few
/// letters of equally long words differ; empty for names that are known.
std::string misspelledField(std::string_view field, const Names& names);

/// Where an accessor in a longer `text` runs on into the - or _ that was probably to separate it
/// from what follows, as in "$PAYLOAD.from-$PAYLOAD.to": says so, up to what to write instead.
/// Empty where it does not, or the name is known to end so; `names` may be null. Kinds of
/// generators are checked elsewhere.
std::string runningEnd(const WrittenAccessor& accessor, std::string_view text, const Names* names);

/// Behind "is no accessor": how that accessor is written, such as "; write $HEADER.Name".
std::string accessorHint(std::string_view written);

/// What follows an accessor in `text` and was probably meant as a part of it: `[0].name`, letters
/// that names in accessors do not have. A sentence, or empty.
std::string foreignEnd(const WrittenAccessor& accessor, std::string_view text);

/// What other languages would read in a template's text, and this one leaves as it stands:
/// `$PAYLOAD.items[0].name`, `${PAYLOAD.x}`, `{{x}}`; a sentence of each, with what to write.
std::vector<std::string> foreignForms(std::string_view text,
                                      const std::vector<WrittenAccessor>& accessors);

/// Whether the object is {"generate": KIND} with or without "for", and nothing else.
bool isGenerator(const json::Value& object);

/// "; there are UUID, UUIDV7, ...".
std::string generatorKinds();

/// Why an object that is none was probably meant as a generator or a literal; or empty.
std::string almostSpecial(const json::Value& object);

/// A claim that tokens have by RFC 7519 or by sub0 itself.
bool isStandardClaim(std::string_view claim);

}  // namespace sub0::dialect
