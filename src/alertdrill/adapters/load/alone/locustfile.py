"""The one Locust user of a drill: its single task runs the plan, whatever the rate."""

from locust import User, task

from alertdrill.adapters.load.control import run_load


class ScheduledLoad(User):
    """Sends every request of the plan; one is enough, since arrivals follow the clock and not the users."""

    @task
    def send_plan(self) -> None:
        """Run until the controller closes or stops the load, then end Locust."""
        run_load(self.environment)
