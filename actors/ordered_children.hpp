/// Children with names and an order: one_for_one, one_for_all and rest_for_one.
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <weir/actors/child_lifecycle.hpp>
#include <weir/actors/child_set.hpp>
#include <weir/actors/restart_intensity.hpp>

namespace weir {

/// Does one thing at a time, as OTP does: a plan stops some children, last first, then starts some,
/// first first, waiting for each. Requests and deaths that come meanwhile wait for their turn.
class ordered_children : public child_set, private child_lifecycle::listener {
public:
  /// `specs` have been checked. Becomes the listener of `lifecycle`.
  ordered_children(owner& supervisor, child_lifecycle::port& actor, child_lifecycle& lifecycle,
                   restart_strategy strategy, restart_intensity intensity,
                   std::vector<child_spec> specs);

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
  using child_list = std::list<supervised_child>;

  struct plan {
    std::deque<supervised_child*> stops;
    std::deque<supervised_child*> starts;
    /// The starts are restarts.
    bool again = false;
    /// What follows when all is done, or when a start failed, which ends the plan.
    std::function<void()> done;
    std::function<void(supervised_child&, const caf::error&)> failed;
    /// Who waits for it.
    child_reply reply;
  };

  /// Something that waits for its turn, and who waits for it.
  struct task {
    std::function<void()> begin;
    child_reply reply;
  };

  void on_up(supervised_child& child) override;
  void on_ignored(supervised_child& child) override;
  void on_start_failed(supervised_child& child, const caf::error& reason) override;
  void on_ended(supervised_child& child, const caf::error& reason) override;
  void on_stopped(supervised_child& child) override;

  supervised_child* find(std::string_view id);
  supervised_child& insert(child_spec spec);
  void erase(supervised_child& child);
  /// Forgets a temporary child that has no actor any more.
  void settle(supervised_child& child);

  void enqueue(child_reply reply, std::function<void()> begin);
  void advance();
  void step();
  /// Goes on with the plan if this is the child that it waits for.
  bool awaited(const supervised_child& child);

  void start_now(child_spec spec, const child_reply& reply);
  void start_one(supervised_child& child, const child_reply& reply,
                 std::function<void(supervised_child&)> failed);
  void terminate_now(const std::string& id, const child_reply& reply);
  void restart_now(const std::string& id, const child_reply& reply);
  void remove_now(const std::string& id, const child_reply& reply);
  void recover(const std::string& id, std::uint64_t run);
  void restart_from(supervised_child& child);
  void report_if_all_ended();

  owner& owner_;
  child_lifecycle::port& port_;
  child_lifecycle& lifecycle_;
  restart_strategy strategy_;
  restart_intensity intensity_;
  /// In the order of start.
  child_list children_;
  std::unordered_map<std::string_view, child_list::iterator> by_id_;
  std::optional<plan> plan_;
  const supervised_child* awaited_ = nullptr;
  std::deque<task> tasks_;
  bool closing_ = false;
  /// A child has ended for good since this was last looked at.
  bool ended_ = false;
  bool in_order_ = true;
};

} // namespace weir
