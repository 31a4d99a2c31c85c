/// Children without names, all made from one specification: simple_one_for_one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <weir/actors/child_lifecycle.hpp>
#include <weir/actors/child_set.hpp>
#include <weir/actors/restart_intensity.hpp>

namespace weir {

/// The children have nothing to do with each other: they start, end and are restarted
/// independently, and are stopped all at once.
class dynamic_children : public child_set, private child_lifecycle::listener {
public:
  /// `spec` has been checked. Becomes the listener of `lifecycle`.
  dynamic_children(owner& supervisor, child_lifecycle::port& actor, child_lifecycle& lifecycle,
                   restart_intensity intensity, child_spec spec);

  void begin() override;
  void start(child_spec spec, child_reply reply) override;
  void start_with(std::any argument, child_reply reply) override;
  void terminate(const std::string& id, child_reply reply) override;
  void terminate(const caf::actor_addr& actor, child_reply reply) override;
  void restart(const std::string& id, child_reply reply) override;
  void remove(const std::string& id, child_reply reply) override;
  std::vector<child_info> list() const override;
  child_counts count() const override;
  void stop_all() override;
  void refuse_waiting() override;

private:
  using reply_map = std::unordered_map<std::uint64_t, std::vector<child_reply>>;

  void on_up(supervised_child& child) override;
  void on_ignored(supervised_child& child) override;
  void on_start_failed(supervised_child& child, const caf::error& reason) override;
  void on_ended(supervised_child& child, const caf::error& reason) override;
  void on_stopped(supervised_child& child) override;

  void restart(supervised_child& child);
  void erase(supervised_child& child);
  static void answer_all(reply_map& replies, const supervised_child& child,
                         const caf::error& error);
  void report_if_all_stopped();

  owner& owner_;
  child_lifecycle::port& port_;
  child_lifecycle& lifecycle_;
  restart_intensity intensity_;
  std::shared_ptr<const child_spec> spec_;
  /// By number, which is the order of their first start.
  std::map<std::uint64_t, supervised_child> children_;
  std::uint64_t numbers_ = 0;
  std::size_t active_ = 0;
  /// Who waits for the first start, or for the end, of a child.
  reply_map starting_;
  reply_map terminating_;
  bool closing_ = false;
  bool in_order_ = true;
};

} // namespace weir
