package org.glmtuner.planning;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.Locale;
import java.util.Optional;
import org.glmtuner.placement.HostPlacement;
import org.glmtuner.placement.HostPlacement.NodeUse;
import org.glmtuner.planning.Speeds.Rate;
import org.glmtuner.topology.Topology;
import org.glmtuner.topology.Topology.Kind;

/** A plan for machines. Sizes are bytes, times seconds. */
final class PlanJson {
  private static final Gson GSON =
      new GsonBuilder()
          .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
          .disableHtmlEscaping()
          .create();

  private PlanJson() {}

  static String of(Plan plan) {
    PlanRequest request = plan.request();
    JsonObject json = new JsonObject();
    json.addProperty("world_size", plan.ranks().size());
    json.addProperty("hosts", request.host().count());
    json.add("host", host(plan));
    json.add("model", model(request));
    json.add("samples", samples(request.samples()));
    JsonArray ranks = new JsonArray();
    plan.ranks().forEach(spot -> ranks.add(rank(spot, plan)));
    json.add("ranks", ranks);
    json.add("weights", weights(plan));
    JsonArray nodes = new JsonArray();
    plan.placement().uses().forEach(use -> nodes.add(node(use)));
    json.add("memory", nodes);
    json.addProperty("step_seconds", plan.step().time().total());
    json.add("step", step(plan.step()));
    json.addProperty("limit", plan.step().limit().label());
    if (plan.run().steps().isPresent()) {
      json.addProperty("steps", plan.run().steps().getAsLong());
      json.addProperty("run_seconds", plan.seconds());
    }
    json.addProperty("checkpoint_bytes", plan.run().checkpointBytes());
    json.add("network", network(plan.step()));
    json.add("rates", rates(request.speeds()));
    json.add("spark", spark(plan));
    json.add("warnings", GSON.toJsonTree(plan.warnings()));
    return GSON.toJson(json);
  }

  private static JsonObject host(Plan plan) {
    Topology topology = plan.request().host().topology();
    JsonObject json = new JsonObject();
    json.addProperty("origin", plan.request().host().origin());
    json.addProperty("sockets", plan.request().host().sockets());
    json.addProperty("clusters", topology.clusters().size());
    json.addProperty("cores", plan.request().host().cores());
    json.addProperty("cores_left", plan.coresLeft());
    HbmMode mode = HbmMode.of(topology);
    json.addProperty("hbm_mode", mode.label());
    if (mode != HbmMode.NONE) {
      JsonObject modes = new JsonObject();
      HbmMode.OF_HBM.forEach(each -> modes.addProperty(each.label(), each.explanation()));
      json.add("hbm_modes", modes);
    }
    return json;
  }

  private static JsonObject model(PlanRequest request) {
    JsonObject json = new JsonObject();
    json.addProperty("origin", request.model().origin());
    json.addProperty("layers", request.model().shape().layers());
    json.addProperty("hidden", request.model().shape().hidden());
    json.addProperty("vocabulary", request.model().shape().vocabulary());
    json.addProperty("precision", request.config().model().precision().label());
    json.addProperty("weight_bytes", request.model().weightBytes());
    return json;
  }

  private static JsonObject samples(SampleSizes samples) {
    JsonObject json = new JsonObject();
    json.addProperty("origin", samples.origin());
    json.addProperty("tokens", samples.tokens());
    json.addProperty("labelled", samples.labelled());
    json.addProperty("longest", samples.longest());
    samples.count().ifPresent(count -> json.addProperty("count", count));
    return json;
  }

  private static JsonObject rank(RankSpot spot, Plan plan) {
    Topology topology = plan.request().host().topology();
    JsonObject json = new JsonObject();
    json.addProperty("rank", spot.rank());
    json.addProperty("host", spot.host());
    json.addProperty("socket", spot.cpus().socket());
    json.addProperty("cores", plan.spark().cores());
    json.add("cpus", GSON.toJsonTree(spot.cpus().cpus()));
    json.addProperty("numa_node", RankSpot.home(topology, spot.cpus()));
    json.addProperty("memory", spot.memory());
    json.addProperty("memory_node", spot.memoryNode(topology));
    json.add("weights_nodes", GSON.toJsonTree(spot.placement().nodes()));
    return json;
  }

  private static JsonObject weights(Plan plan) {
    HostPlacement placement = plan.placement();
    JsonObject json = new JsonObject();
    json.addProperty("mode", placement.mode().label());
    json.addProperty("kind", label(placement.kind()));
    json.addProperty("bytes", plan.weightBytes());
    json.add(
        "nodes",
        GSON.toJsonTree(
            placement.uses().stream()
                .filter(use -> use.weights() > 0)
                .map(NodeUse::node)
                .toList()));
    json.addProperty("copies", placement.copies());
    json.addProperty("reason", placement.reason());
    return json;
  }

  private static JsonObject node(NodeUse use) {
    JsonObject json = new JsonObject();
    json.addProperty("node", use.node());
    json.addProperty("kind", label(use.kind()));
    json.addProperty("bytes", use.size());
    json.addProperty("weights", use.weights());
    json.addProperty("ranks", use.own());
    return json;
  }

  private static String label(Kind kind) {
    return kind.name().toLowerCase(Locale.ROOT);
  }

  private static JsonObject step(Plan.Step step) {
    JsonObject json = new JsonObject();
    json.addProperty("products_seconds", step.time().products());
    json.addProperty("reading_seconds", step.time().reading());
    json.addProperty("other_seconds", step.time().other());
    json.addProperty("update_seconds", step.time().update());
    json.addProperty("network_seconds", step.time().exposed());
    json.addProperty("tokens_per_second", step.tokensPerSecond());
    json.addProperty("read_bytes_per_second", step.reading().perSecond());
    json.addProperty("micro_batch_tokens", step.budget());
    json.addProperty("micro_batches", step.share().microBatches());
    json.addProperty("samples_per_rank", step.share().samples());
    return json;
  }

  private static JsonObject network(Plan.Step step) {
    JsonObject json = new JsonObject();
    json.addProperty("bytes_per_rank", step.network().bytesPerRank());
    json.addProperty("bytes_per_host", step.network().bytesPerHost());
    json.addProperty("seconds", step.network().seconds());
    json.addProperty("share", step.network().seconds() / step.time().total());
    json.addProperty("exposed_seconds", step.time().exposed());
    return json;
  }

  private static JsonObject rates(Speeds speeds) {
    JsonObject json = new JsonObject();
    json.add("products_per_core", GSON.toJsonTree(speeds.products()));
    add(json, "reading_per_core", speeds.coreReading());
    add(json, "reading_per_cluster", speeds.clusterReading());
    json.add("shared_memory_per_rank", GSON.toJsonTree(speeds.sharedMemory()));
    json.add("link_per_host", GSON.toJsonTree(speeds.link()));
    return json;
  }

  private static void add(JsonObject json, String name, Optional<Rate> rate) {
    rate.ifPresent(known -> json.add(name, GSON.toJsonTree(known)));
  }

  private static JsonObject spark(Plan plan) {
    JsonObject json = new JsonObject();
    json.add("conf", GSON.toJsonTree(plan.spark().conf()));
    json.addProperty("ranks.count", plan.ranks().size());
    json.addProperty("ranks.cores", plan.spark().cores());
    JsonObject overhead = new JsonObject();
    overhead.addProperty("resident", plan.spark().overheads().resident());
    overhead.addProperty("unshared", plan.spark().overheads().unshared());
    overhead.addProperty("unshared_needs", SparkSettings.SHARED_NOT_COUNTED + "=true");
    json.add("memory_overhead", overhead);
    return json;
  }
}
