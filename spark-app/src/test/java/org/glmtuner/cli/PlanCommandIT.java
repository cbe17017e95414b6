package org.glmtuner.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.glmtuner.cluster.Checkout;
import org.glmtuner.driver.Cancellation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With rank processes that are measured. */
class PlanCommandIT {
  @TempDir static Path cache;

  private static JsonObject rates(String... arguments) {
    PrintStream out = System.out;
    ByteArrayOutputStream captured = new ByteArrayOutputStream();
    System.setOut(new PrintStream(captured, true, StandardCharsets.UTF_8));
    try {
      assertThat(Main.execute(arguments, Cancellation.none())).isZero();
    } finally {
      System.setOut(out);
    }
    String plan = captured.toString(StandardCharsets.UTF_8).lines().findFirst().orElseThrow();
    return JsonParser.parseString(plan).getAsJsonObject().getAsJsonObject("rates");
  }

  private static void assertMeasured(JsonObject rates, String name, String origin) {
    JsonObject rate = rates.getAsJsonObject(name);
    assertThat(rate.get("origin").getAsString()).isEqualTo(origin);
    assertThat(rate.get("per_second").getAsDouble()).isBetween(1e7, 1e13);
  }

  @Test
  void whatIsNotGivenIsMeasured() {
    JsonObject here =
        rates(
            "plan",
            "--json",
            "-D",
            "ranks.cores=1",
            "-D",
            "cache.directory=" + cache,
            "-D",
            "ranks.claims=" + cache.resolve("cpus.lock"),
            "-D",
            "model.path=" + Checkout.goldenSmall().resolve("model"));
    assertMeasured(here, "products_per_core", "measured on this host");
    assertMeasured(here, "reading_per_core", "measured on this host");
    Path flat =
        Checkout.module().resolve("src/test/resources/topologies/xeonmax9462-snc4-flat.xml");
    JsonObject other =
        rates(
            "plan",
            "--json",
            "--topology",
            flat.toString(),
            "-D",
            "cache.directory=" + cache,
            "-D",
            "ranks.claims=" + cache.resolve("cpus.lock"));
    assertMeasured(other, "products_per_core", "measured on this host, which is not one of these");
  }
}
