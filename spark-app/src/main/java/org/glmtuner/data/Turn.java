package org.glmtuner.data;

/** A query of a conversation and what was answered. */
record Turn(String query, String response) {}
