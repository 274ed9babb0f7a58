// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a handler is handed: the Host, a Preparation at load, a Run for each execution. A Run ends
// once: complete, fail, or, when it is dropped without either, as `internal`; keep it for later by
// moving it out. REQUIRES: a Run that is kept does not outlive the plugin's stop.
// THREAD: Host and the ending functions of Run: [any]; Preparation: [control].

#include <exception>
#include <memory>

#include "value.hpp"

namespace sub0 {

class Host {
 public:
  explicit Host(const sub0_host* host) : host_(host) {}
  const sub0_host* raw() const { return host_; }
  void log(int32_t level, std::string_view text) const {
    const sub0_text_view line = textView(text);
    host_->log(host_, level, &line);
  }
  // The table of an extension, or null: host.extension<sub0_loop>(SUB0_LOOP_EXTENSION)
  template <class Table>
  const Table* extension(const char* name) const {
    return static_cast<const Table*>(host_->extension(host_, name));
  }

 private:
  const sub0_host* host_;
};

// The resolved values of the settings that the plugin declared.
class Settings {
 public:
  explicit Settings(Value values) : values_(values) {}
  std::string text(std::string_view name) const { return values_.find(name).toText(); }
  int64_t integer(std::string_view name) const { return values_.find(name).asInt(); }
  bool boolean(std::string_view name) const { return values_.find(name).asBool(); }
  Value all() const { return values_; }

 private:
  Value values_;
};

// An input that prepare declared: its place among the inputs of each run.
struct Input {
  int32_t index = -1;
};

class Preparation {
 public:
  Preparation(sub0_preparation* raw, const sub0_value* config, const sub0_host* host)
      : raw_(raw), config_(config), host_(host) {}
  Preparation(const Preparation&) = delete;
  Preparation& operator=(const Preparation&) = delete;

  Value config() const { return Value(config_); }           // the value of the handler's key
  Value action() const { return Value(raw_->action); }      // the whole action
  Value resource() const { return Value(raw_->resource); }  // the whole resource
  Host host() const { return Host(host_); }
  sub0_preparation* raw() const { return raw_; }
  bool failed() const { return failed_; }

  // The template at that pointer, relative to config(), evaluated for each run.
  Input input(std::string_view pointer) { return declare(pointer, SUB0_RULE_TEMPLATE); }
  // The same by the rule of sql_query.parameters: bare words are looked up.
  Input parameter(std::string_view pointer) { return declare(pointer, SUB0_RULE_PARAMETER); }
  // A template that stands in no file, such as "$PAYLOAD".
  Input inputOf(std::string_view template_text) {
    const sub0_text_view text = textView(template_text);
    return checked(raw_->input_of(raw_, &text));
  }
  // The result of the action that an effect belongs to.
  static constexpr Input result() { return {0}; }

  void placeOnLoop() { raw_->place(raw_, SUB0_PLACE_LOOP); }
  void placeOnPool() { raw_->place(raw_, SUB0_PLACE_POOL); }
  void fact(std::string_view name, const Literal& value) {
    const sub0_text_view text = textView(name);
    raw_->fact(raw_, &text, &value.raw());
  }
  void readsOnly(bool truth = true) { fact("reads_only", truth); }
  void waits(bool truth = true) { fact("waits", truth); }
  void tables(const std::vector<std::string>& names) {
    Tree list = Tree::array();
    for (const std::string& name : names) list.push(Literal(name));
    fact("tables", list);
  }

  void error(std::string_view pointer, std::string_view text) {
    const sub0_text_view place = textView(pointer);
    const sub0_text_view line = textView(text);
    failed_ = true;
    raw_->error(raw_, &place, &line);
  }
  void warning(std::string_view pointer, std::string_view text) {
    const sub0_text_view place = textView(pointer);
    const sub0_text_view line = textView(text);
    raw_->warning(raw_, &place, &line);
  }
  // A warning for each member of the configuration that is not one of these.
  void expectMembers(std::initializer_list<std::string_view> known) {
    for (Member member : config().members()) {
      bool found = false;
      for (std::string_view name : known) found = found || name == member.key;
      if (!found) warning(pointerTo(member.key), "unknown member, ignored");
    }
  }
  // "/key", escaped as RFC 6901 says.
  static std::string pointerTo(std::string_view key) {
    std::string pointer = "/";
    for (char c : key) pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return pointer;
  }

 private:
  Input declare(std::string_view pointer, uint32_t rule) {
    const sub0_text_view text = textView(pointer);
    return checked(raw_->input(raw_, &text, rule));
  }
  Input checked(int32_t index) {
    failed_ = failed_ || index < 0;  // the host has reported why
    return {index};
  }

  sub0_preparation* raw_;
  const sub0_value* config_;
  const sub0_host* host_;
  bool failed_ = false;
};

namespace detail {
// Of this thread: the run whose handler runs, and whether an exception took it along; the thunk
// ends it then, since it knows what was thrown.
struct Running {
  sub0_ticket ticket;
  bool is_dropped;
};
#ifdef __GLIBC__
#define SUB0_DETAIL_TLS __attribute__((tls_model("initial-exec"))) /* each run looks at it */
#else
#define SUB0_DETAIL_TLS
#endif
inline Running& running() {
  static thread_local Running now SUB0_DETAIL_TLS = {UINT64_MAX, false};
  return now;
}
#undef SUB0_DETAIL_TLS
inline sub0_error errorOf(int32_t code, std::string_view client, std::string_view log) {
  return {sizeof(sub0_error), code, textView(log), textView(client)};
}
}  // namespace detail

class Run {
 public:
  Run(const sub0_host* host, const sub0_run* run) : host_(host), run_(run) {}
  Run(Run&& other) noexcept : host_(other.host_), run_(std::exchange(other.run_, nullptr)) {}
  Run& operator=(Run&& other) noexcept {
    if (this != &other) {
      drop();
      host_ = other.host_;
      run_ = std::exchange(other.run_, nullptr);
    }
    return *this;
  }
  ~Run() { drop(); }

  // False once it has ended or has been moved out; then nothing below may be called.
  bool isOpen() const { return run_ != nullptr; }

  // The functions that end the run return SUB0_OK, or why it did not count.
  int32_t complete() { return complete(Literal()); }
  int32_t complete(const Literal& value) { return host_->complete(host_, close(), &value.raw()); }
  // Without a copy: the host keeps the value until it calls release(owner), exactly once.
  int32_t completeBlob(const sub0_value& value, void (*release)(void*), void* owner) {
    const sub0_blob blob = {&value, release, owner};
    return host_->complete_blob(host_, close(), &blob);
  }
  int32_t completeBlob(Tree tree) {
    auto owner = std::make_unique<Tree>(std::move(tree));
    const sub0_value& value = owner->raw();
    return completeBlob(
        value, [](void* kept) { delete static_cast<Tree*>(kept); }, owner.release());
  }
  // `client` reaches the caller, so never SQL, paths or secrets (empty: the code's own wording);
  // `log` reaches the operator.
  int32_t fail(int32_t code, std::string_view client = {}, std::string_view log = {}) {
    const sub0_error error = detail::errorOf(code, client, log);
    return host_->fail(host_, close(), &error);
  }
  // Gives up the duty to end it: the ticket is the caller's to end, by Host::raw().
  sub0_ticket detach() { return close(); }

  size_t inputs() const { return run_->input_count; }
  Value input(size_t index) const { return Value(&run_->inputs[index]); }
  Value input(Input input) const { return Value(&run_->inputs[input.index]); }
  std::string text(Input input) const { return this->input(input).toText(); }
  double number(Input input, double fallback = 0) const {
    return this->input(input).asDouble(fallback);
  }
  bool boolean(Input input, bool fallback = false) const {
    return this->input(input).asBool(fallback);
  }
  sub0_ticket ticket() const { return run_->ticket; }
  bool hasUid() const { return run_->uid.data != nullptr; }
  std::string_view uid() const { return stringView(run_->uid); }
  std::string_view resource() const { return stringView(run_->resource); }
  std::string_view action() const { return stringView(run_->action); }
  uint64_t deadlineNs() const { return run_->deadline_ns; }
  uint64_t callId() const { return run_->call_id; }
  bool readOnly() const { return (run_->flags & SUB0_RUN_READ_ONLY) != 0; }
  Host host() const { return Host(host_); }
  const sub0_run* raw() const { return run_; }

 private:
  sub0_ticket close() { return std::exchange(run_, nullptr)->ticket; }
  void drop() noexcept {
    if (run_ == nullptr) return;
    if (std::uncaught_exceptions() > 0 && detail::running().ticket == run_->ticket) {
      detail::running().is_dropped = true;
      close();
      return;
    }
    fail(SUB0_INTERNAL, {}, "the handler dropped the run without an end");
  }

  const sub0_host* host_;
  const sub0_run* run_;
};

}  // namespace sub0
