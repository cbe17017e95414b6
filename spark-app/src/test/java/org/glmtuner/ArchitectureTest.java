package org.glmtuner;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "org.glmtuner", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule sparkStaysInDriverAndExecutor =
      noClasses()
          .that()
          .resideOutsideOfPackages("..api..", "..cli..", "..driver..", "..executor..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.apache.spark..", "scala..");

  @ArchTest
  static final ArchRule hadoopStaysInStorage =
      noClasses()
          .that()
          .resideOutsideOfPackages("..storage..", "..minihdfs..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.apache.hadoop..");

  @ArchTest
  static final ArchRule djlStaysInRankModelAndOptimizer =
      noClasses()
          .that()
          .resideOutsideOfPackages("..rank..", "..model..", "..optimizer..", "..tokenizer..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("ai.djl..");

  @ArchTest
  static final ArchRule tokenizerUsesSentencePieceOnly =
      noClasses()
          .that()
          .resideInAPackage("..tokenizer..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("ai.djl.ndarray..", "ai.djl.engine..", "ai.djl.pytorch..");

  @ArchTest
  static final ArchRule ranksKnowNothingAboveTheWire =
      noClasses()
          .that()
          .resideInAnyPackage(
              "..rank..",
              "..model..",
              "..optimizer..",
              "..wire..",
              "..checkpoint..",
              "..data..",
              "..config..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "org.glmtuner.executor..",
              "org.glmtuner.driver..",
              "org.glmtuner.cli..",
              "org.glmtuner.api..",
              "org.glmtuner.benchmark..");

  @ArchTest
  static final ArchRule executorsDoNotKnowTheDriver =
      noClasses()
          .that()
          .resideInAPackage("..executor..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "org.glmtuner.driver..",
              "org.glmtuner.cli..",
              "org.glmtuner.rank..",
              "org.glmtuner.benchmark..");

  @ArchTest
  static final ArchRule nativeDdpStandsAlone =
      noClasses()
          .that()
          .resideInAPackage("org.glmtuner.nativeddp..")
          .should()
          .dependOnClassesThat()
          .resideOutsideOfPackages("java..", "org.glmtuner.nativeddp..");
}
