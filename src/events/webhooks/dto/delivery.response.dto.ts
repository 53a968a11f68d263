import { ApiProperty } from '@nestjs/swagger';
import { toApiId } from '../../../common/index';
import type { Delivery, DeliveryStatus } from '../deliveries.repository';

export class DeliveryDto {
  @ApiProperty({
    type: String,
    example: 'dlv_0192f0c1a2b37c4d8e5f60718293a4b5',
    description: 'The header x-lattice-delivery of every try.',
  })
  id: string;

  @ApiProperty({ type: String, example: 'evt_0192f0c1a2b37c4d8e5f60718293a4b5' })
  eventId: string;

  @ApiProperty({ type: String, example: 'budget.threshold' })
  eventType: string;

  @ApiProperty({ enum: ['pending', 'delivered', 'failed'] })
  status: DeliveryStatus;

  @ApiProperty({ type: 'integer', minimum: 0, maximum: 5 })
  attempts: number;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'Null: no further try.' })
  nextAttemptAt: string | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'What the receiver answered last.' })
  lastStatus: number | null;

  @ApiProperty({ type: String, nullable: true })
  lastError: string | null;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  finishedAt: string | null;

  static from(delivery: Delivery): DeliveryDto {
    const { eventType, status, attempts, lastStatus, lastError } = delivery;
    return {
      id: toApiId('dlv', delivery.id),
      eventId: toApiId('evt', delivery.eventId),
      eventType,
      status,
      attempts,
      nextAttemptAt: delivery.nextAttemptAt?.toISOString() ?? null,
      lastStatus,
      lastError,
      createdAt: delivery.createdAt.toISOString(),
      finishedAt: delivery.finishedAt?.toISOString() ?? null,
    };
  }
}

export class DeliveryPageDto {
  @ApiProperty({ type: [DeliveryDto] })
  data: DeliveryDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Null on the last page.' })
  nextCursor: string | null;
}
