-- Every window, summed.
INSERT INTO "KPISum" {sums}
