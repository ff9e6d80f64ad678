# The daemon as a service on Fargate, as in deploy/ecs.

locals {
  container = { for ecs in var.ecs[*] : "definition" => {
    name                   = "syncd"
    image                  = ecs.image
    essential              = true
    command                = ["run", "--config", "/etc/syncd/syncd.yaml"]
    user                   = "65532:65532"
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    stopTimeout            = 60
    environment            = [{ name = "GOMEMLIMIT", value = "${floor(ecs.memory * 0.88)}MiB" }]
    secrets                = [{ name = "SYNCD_EXTERNAL_ID", valueFrom = ecs.external_id_secret_arn }]
    portMappings           = [{ name = "metrics", containerPort = 9090, protocol = "tcp" }]
    healthCheck = {
      command     = ["CMD", "/syncd", "healthcheck", "--config", "/etc/syncd/syncd.yaml"]
      interval    = 30
      timeout     = 5
      retries     = 3
      startPeriod = 30
    }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = "/${var.name}"
        "awslogs-region"        = var.region
        "awslogs-stream-prefix" = "syncd-service"
      }
    }
  } }
  on_ecs = var.ecs == null ? 0 : 1
}

resource "aws_cloudwatch_log_group" "syncd" {
  count             = local.on_ecs
  name              = "/${var.name}"
  retention_in_days = var.ecs.log_retention_days
  tags              = var.tags
}

resource "aws_iam_role" "execution" {
  count = local.on_ecs
  name  = "${var.name}-execution"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = local.from_ecs["only"]
    }]
  })
  tags = var.tags
}

resource "aws_iam_role_policy_attachment" "execution" {
  count      = local.on_ecs
  role       = aws_iam_role.execution[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role_policy" "execution" {
  count = local.on_ecs
  name  = "external-id"
  role  = aws_iam_role.execution[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = var.ecs.external_id_secret_arn
    }]
  })
}

resource "aws_ecs_task_definition" "syncd" {
  count                    = local.on_ecs
  family                   = "${var.name}-service"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.ecs.cpu
  memory                   = var.ecs.memory
  execution_role_arn       = aws_iam_role.execution[0].arn
  task_role_arn            = local.workload_role_arn
  container_definitions    = jsonencode(values(local.container))
  tags                     = var.tags

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.ecs.architecture
  }
}

resource "aws_ecs_service" "syncd" {
  count           = local.on_ecs
  name            = var.name
  cluster         = var.ecs.cluster_arn
  task_definition = aws_ecs_task_definition.syncd[0].arn
  desired_count   = 1
  launch_type     = "FARGATE"
  tags            = var.tags

  # The new task is a standby until the old one has drained and released the lease; neither waits
  # for the other.
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 200
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.ecs.subnets
    security_groups  = var.ecs.security_groups
    assign_public_ip = false
  }
}
