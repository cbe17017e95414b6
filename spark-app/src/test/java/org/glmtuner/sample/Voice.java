package org.glmtuner.sample;

import java.util.Map;

/** A way to write about clothes: for each property of a garment the phrase that tells of it. */
@SuppressWarnings("ImmutableEnumChecker") // the maps are
enum Voice {
  PLAIN(
      "平实",
      "这是一件{}，",
      "平时穿很合适。",
      Map.of(
          "颜色", "颜色是{}，很好搭配，",
          "材质", "面料用{}，穿着舒服，",
          "版型", "{}的版型适合日常，",
          "图案", "上面有{}图案，",
          "风格", "整体是{}风格，",
          "领型", "领口做成{}，")),
  CLASSICAL(
      "古风",
      "今有{}一袭，",
      "宜春日游园。",
      Map.of(
          "颜色", "其色{}，如染朝霞，",
          "材质", "以{}为裳，轻若流云，",
          "版型", "{}之裁，步步生姿，",
          "图案", "上绣{}，暗香浮动，",
          "风格", "有{}之韵，见者难忘，",
          "领型", "{}微露，眉目如画，")),
  LIVE_STREAM(
      "直播",
      "姐妹们看这条{}，",
      "三二一上链接！",
      Map.of(
          "颜色", "{}超级显白，家人们冲，",
          "材质", "{}摸起来真的绝了，",
          "版型", "{}谁穿谁好看，",
          "图案", "这个{}全网都在找，",
          "风格", "主打一个{}，闭眼入，",
          "领型", "{}直接瘦十斤，")),
  DATA_SHEET(
      "说明",
      "品名：{}；",
      "洗涤：请手洗。",
      Map.of(
          "颜色", "颜色：{}；",
          "材质", "成分：{}；",
          "版型", "版型：{}；",
          "图案", "图案：{}；",
          "风格", "风格：{}；",
          "领型", "领型：{}；")),
  POEM(
      "诗意",
      "遇见一件{}，",
      "愿你穿着它，慢慢走远。",
      Map.of(
          "颜色", "{}落在肩头，像一阵风，",
          "材质", "{}轻轻呼吸，贴着时光，",
          "版型", "{}的线条写着自在，",
          "图案", "{}在衣角悄悄盛开，",
          "风格", "{}的心事藏进口袋，",
          "领型", "{}托起一片月光，"));

  private final String label;
  private final String opening;
  private final String closing;
  private final Map<String, String> phrases;

  Voice(String label, String opening, String closing, Map<String, String> phrases) {
    this.label = label;
    this.opening = opening;
    this.closing = closing;
    this.phrases = phrases;
  }

  /** What a row may ask for. */
  String label() {
    return label;
  }

  String opening(String garment) {
    return opening.replace("{}", garment);
  }

  String phrase(String property, String value) {
    return phrases.get(property).replace("{}", value);
  }

  String closing() {
    return closing;
  }
}
