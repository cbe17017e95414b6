package org.glmtuner.driver;

import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;
import org.glmtuner.config.RanksConfig;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.executor.DriverEndpoint;
import org.glmtuner.executor.ExecutorEndpoint;
import org.glmtuner.executor.HostTopology;
import org.glmtuner.failure.TunerException;
import org.glmtuner.topology.RankGroups;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The Spark session of a command, with what a barrier job of ours needs. */
public final class SparkSetup {
  private static final Logger LOG = LoggerFactory.getLogger(SparkSetup.class);

  /** Set by the launcher where the user named no master. */
  private static final String DEFAULT_MASTER = "spark.glmtuner.defaultMaster";

  /**
   * Set by the launcher where standard error is a terminal, which a JVM cannot find out by itself.
   */
  private static final String TERMINAL = "spark.glmtuner.terminal";

  private static final String PLUGINS = "spark.plugins";
  private static final long BARRIER_MARGIN_SECONDS = 300;
  private static final String DYNAMIC_ALLOCATION = "spark.dynamicAllocation.enabled";

  private SparkSetup() {}

  /** Starts the session that {@code spark-submit} has configured. */
  public static SparkSession start(String name, TunerConfig config) throws InterruptedException {
    SparkConf conf = new SparkConf().setAppName("GLM Tuner " + name);
    prepare(conf, config);
    return SparkSession.builder().config(conf).getOrCreate();
  }

  /** Whether {@code spark-submit} was given a master other than this machine's own threads. */
  public static boolean hasCluster() {
    String master = System.getProperty("spark.master", "local");
    return !master.equals("local")
        && !master.startsWith("local[")
        && !Boolean.getBoolean(DEFAULT_MASTER);
  }

  /** Whether people look at standard error. */
  public static boolean hasTerminal(SparkSession spark) {
    return spark.sparkContext().getConf().getBoolean(TERMINAL, false);
  }

  /** Completes {@code conf}, and logs what it changes. */
  static void prepare(SparkConf conf, TunerConfig config) throws InterruptedException {
    RanksConfig ranks = config.ranks();
    if (conf.getBoolean(DEFAULT_MASTER, false)) {
      int slots = ranks.count() > 0 ? ranks.count() : ranksOfThisHost(config);
      set(conf, "spark.master", "local[" + slots + "]");
    }
    if (!config.cache().directory().isEmpty()) {
      set(conf, ExecutorEndpoint.CACHE_DIRECTORY, config.cache().directory());
    }
    if (conf.getBoolean(DYNAMIC_ALLOCATION, false)) {
      throw TunerException.invalid(
          "Cannot train with "
              + DYNAMIC_ALLOCATION
              + "=true: all ranks run at once, so their executors must be there from the start (submit with --conf "
              + DYNAMIC_ALLOCATION
              + "=false)");
    }
    String plugins = conf.get(PLUGINS, "");
    if (!plugins.contains(DriverEndpoint.PLUGIN)) {
      set(
          conf,
          PLUGINS,
          plugins.isEmpty() ? DriverEndpoint.PLUGIN : plugins + "," + DriverEndpoint.PLUGIN);
    }
    if (!conf.get("spark.master", "local").startsWith("local") && ranks.count() > 0) {
      setIfMissing(conf, "spark.executor.instances", Integer.toString(ranks.count()));
      setIfMissing(
          conf,
          "spark.executor.cores",
          Integer.toString(Math.max(1, RankLayout.sized(ranks, conf).cores())));
    }
    setIfMissing(conf, DYNAMIC_ALLOCATION, "false");
    // A barrier stage starts as a whole or not at all: no waiting for a better place for some of
    // its tasks.
    setIfMissing(conf, "spark.locality.wait", "0");
    setIfMissing(conf, "spark.shuffle.reduceLocality.enabled", "false");
    // Spark asks whether there are enough slots every 15 s; that is 15 s lost where executors are a
    // moment late.
    setIfMissing(conf, "spark.scheduler.barrier.maxConcurrentTasksCheck.interval", "1s");
    setIfMissing(
        conf,
        "spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures",
        Long.toString(ranks.patience().toSeconds()));
    // One task may wait so long for free cores, or in doctor's checks of its host, while the others
    // are in the all-gather.
    setIfMissing(
        conf,
        "spark.barrier.sync.timeout",
        Long.toString(ranks.patience().toSeconds() + BARRIER_MARGIN_SECONDS));
    setIfMissing(conf, "spark.serializer", "org.apache.spark.serializer.KryoSerializer");
    setIfMissing(conf, "spark.kryo.registrator", KryoTypes.class.getName());
    // A run resumes by itself; a second driver started by YARN would fight the first one's
    // executors.
    setIfMissing(conf, "spark.yarn.maxAppAttempts", "1");
    setIfMissing(conf, "spark.ui.showConsoleProgress", "false");
  }

  private static int ranksOfThisHost(TunerConfig config) throws InterruptedException {
    return RankGroups.of(HostTopology.read(config.cache().path()), config.ranks(), 0)
        .groups()
        .size();
  }

  private static void setIfMissing(SparkConf conf, String key, String value) {
    if (!conf.contains(key)) {
      set(conf, key, value);
    }
  }

  private static void set(SparkConf conf, String key, String value) {
    LOG.info("Setting {}={}", key, value);
    conf.set(key, value);
  }
}
