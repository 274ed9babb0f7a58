// SPDX-License-Identifier: Apache-2.0
#include "host_port.hpp"

namespace sub0::query {
namespace {

void releaseTree(void* owner) { delete static_cast<ResultTree*>(owner); }

sub0_text_view viewOf(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

HostPort::HostPort(const sub0_host* host)
    : host_(host),
      loop_(static_cast<const sub0_loop*>(host->extension(host, SUB0_LOOP_EXTENSION))),
      pool_(static_cast<const sub0_pool*>(host->extension(host, SUB0_POOL_EXTENSION))) {}

void HostPort::complete(sub0_ticket ticket, std::unique_ptr<ResultTree> tree) const {
  const sub0_blob blob{&tree->finish(), &releaseTree, tree.get()};
  static_cast<void>(tree.release());  // the host frees it, also when it refuses it
  if (host_->complete_blob(host_, ticket, &blob) == SUB0_INVALID_ARGUMENT) {
    fail(ticket, Failure{SUB0_ACTION_FAILED,
                         "the database returned text that is not UTF-8, or JSON that is too deep",
                         "the result cannot be shown as JSON"});
  }
}

void HostPort::fail(sub0_ticket ticket, const Failure& failure) const {
  const sub0_error error{sizeof(sub0_error), failure.code, viewOf(failure.log),
                         viewOf(failure.client)};
  host_->fail(host_, ticket, &error);
}

void HostPort::log(std::int32_t level, std::string_view text) const {
  const sub0_text_view view = viewOf(text);
  host_->log(host_, level, &view);
}

}  // namespace sub0::query
