// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "dialect/model.hpp"
#include "dialect/project.hpp"

// The two steps from a placed tree to a model, for ProjectLoader alone: each resource is read on
// its own; then, when all are known, what they and their actions say about each other is resolved.
namespace sub0::dialect {

/// What both steps need; references outlive the loading only.
struct ReadContext {
  const LoadOptions& options;
  const EnvironmentLookup& environment;
  const EnvironmentValues& dot_env;
  Problems& problems;
};

/// Reads one resource object at `pointer` of `file`: keys, types, tokens, actions, validation.
Resource readResource(const json::Value& source, const std::string& pointer, const SourceFile& file,
                      const ReadContext& context);

/// Reads one action, without what it says about others.
Actionable readActionable(const json::Value& source, const std::string& pointer,
                          const Resource& resource, const ReadContext& context);

/// S-95: `hashables` and `verify_hashables` of an action whose other keys have been read.
void readHashables(Actionable& action, const Resource& resource, const ReadContext& context);

/// S-95: warns of fields that are hashed or compared and that no validation makes texts.
void checkHashables(const Resource& resource, const ReadContext& context);

/// `cacheable` of an action, or the same keys beside its others; no more than is there (S-93).
void readCacheable(Actionable& action, const Resource& resource, const ReadContext& context);
/// `cacheable` and `rate_limit` of a resource whose other keys have been read (S-93, S-94).
void readControls(Resource& resource, const ReadContext& context);

/// Dependencies, combination, result and names of one of `resources`. Actions of others that it
/// depends on (S-86) are taken into it, behind its own.
void linkResource(Resource& resource, const std::vector<Resource>& resources,
                  const ReadContext& context);

/// S-21: warns of actions with `no_op` that no action of any of the resources, which are all
/// linked, depends on: they never run.
void warnOfIdleActions(const std::vector<Resource>& resources, const ReadContext& context);

/// S-115: warns of receivers and labels of broadcasts that were probably meant as accessors.
/// REQUIRES: the names of its actions are collected.
void checkBroadcasts(const Resource& resource, const ReadContext& context);

/// Actionable::names of all actions of a resource whose dependencies are resolved.
void collectNames(Resource& resource, const ReadContext& context);

/// `healthz` and others that no resource and no socket can have (S-50).
bool isRouteOfTheHost(std::string_view name);

/// Ids and routes: unique, not only different in case, not taken (S-11, S-50).
void checkRoutes(const std::vector<Resource>& resources, const ReadContext& context);

/// Small readers of values whose types have been checked; a wrong type reads as missing.
bool boolOf(const json::Value& object, std::string_view key);
std::uint32_t smallNumberOf(const json::Value& object, std::string_view key);
std::string textOf(const json::Value& object, std::string_view key);
std::optional<std::vector<std::string>> textsOf(const json::Value& object, std::string_view key);

}  // namespace sub0::dialect
