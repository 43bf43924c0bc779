SELECT max("generation") + 1 FROM "Generation"
